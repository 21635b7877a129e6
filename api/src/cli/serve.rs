use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use infrastructure::system::SystemClock;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::INTERRUPTED;
use crate::cli::output::say;
use crate::config::Settings;
use crate::wiring::{FirstAdmin, start};

/// Serves until SIGINT or SIGTERM; requests that are under way are finished, unless a second signal comes.
pub async fn run(settings: Settings) -> Result<ExitCode, Box<dyn Error>> {
    let mut signals =
        Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? };
    let running = start(settings, Arc::new(SystemClock)).await?;
    say!("LiveChatLog listens on http://{}", running.address());
    if let Some(admin) = running.first_admin() {
        print_first_admin(admin);
    }
    signals.next().await;
    tracing::info!("shutting down; a second signal ends it at once");
    tokio::select! {
        () = running.stop() => Ok(ExitCode::SUCCESS),
        () = signals.next() => Ok(INTERRUPTED.into()),
    }
}

/// The signals that ask for an end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn print_first_admin(admin: &FirstAdmin) {
    match &admin.one_time_password {
        Some(password) => say!("First admin: {}   password (shown only now): {password}", admin.email),
        None => say!("First admin: {}   password: as set", admin.email),
    }
}
