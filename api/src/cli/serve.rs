use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use super::INTERRUPTED;
use super::signals::EndSignals;
use crate::cli::output::say;
use crate::config::Settings;
use crate::wiring::{FirstAdmin, start, system_clock};

/// Serves until SIGINT, SIGTERM or SIGQUIT, and then finishes the current requests, unless a second signal arrives.
pub async fn run(settings: Settings) -> Result<ExitCode, Box<dyn Error>> {
    let mut signals = EndSignals::listen_as_service()?;
    let running = start(settings, system_clock()).await?;
    greet(running.address(), running.first_admin().cloned());
    signals.next().await;
    tracing::info!("shutting down; a second signal stops the server at once");
    tokio::select! {
        () = running.stop() => Ok(ExitCode::SUCCESS),
        () = signals.next() => Ok(INTERRUPTED.into()),
    }
}

/// Says where the server listens, without waiting for a reader of standard output.
fn greet(address: SocketAddr, admin: Option<FirstAdmin>) {
    tokio::task::spawn_blocking(move || {
        say!("LiveChatLog listens on http://{address}");
        if let Some(admin) = admin {
            print_first_admin(&admin);
        }
    });
}

fn print_first_admin(admin: &FirstAdmin) {
    match &admin.one_time_password {
        Some(password) => say!("First admin: {}   password (shown only now): {password}", admin.email),
        None => say!("First admin: {}   password: as set", admin.email),
    }
}
