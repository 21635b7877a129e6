use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use super::INTERRUPTED;
use super::signals::EndSignals;
use crate::cli::output::notice;
use crate::config::{LogFormat, Settings};
use crate::wiring::{FirstAdmin, start, system_clock};

/// Serves until SIGINT, SIGTERM or SIGQUIT, and then finishes the current requests, unless a second signal arrives.
pub async fn run(settings: Settings) -> Result<ExitCode, Box<dyn Error>> {
    let mut signals = EndSignals::listen_as_service()?;
    let json = settings.log_format == LogFormat::Json;
    let running = start(settings, system_clock()).await?;
    greet(json, running.address(), running.first_admin().cloned());
    signals.next().await;
    tracing::info!("shutting down; a second signal stops the server at once");
    tokio::select! {
        () = running.stop() => Ok(ExitCode::SUCCESS),
        () = signals.next() => Ok(INTERRUPTED.into()),
    }
}

/// Says where the server listens, without waiting for a reader of standard output.
fn greet(json: bool, address: SocketAddr, admin: Option<FirstAdmin>) {
    tokio::task::spawn_blocking(move || {
        notice(json, &format!("LiveChatLog listens on http://{address}"));
        if let Some(admin) = admin {
            notice(json, &describe(&admin));
        }
    });
}

fn describe(admin: &FirstAdmin) -> String {
    match &admin.one_time_password {
        Some(password) => format!("First admin: {}   password (shown only now): {password}", admin.email),
        None => format!("First admin: {}   password: as set", admin.email),
    }
}
