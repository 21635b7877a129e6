use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use infrastructure::system::SystemClock;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Settings;
use crate::wiring::{FirstAdmin, start};

/// Serves until SIGINT or SIGTERM; requests that are under way are finished.
pub async fn run(settings: Settings) -> Result<ExitCode, Box<dyn Error>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let running = start(settings, Arc::new(SystemClock)).await?;
    println!("LiveChatLog listens on http://{}", running.address());
    if let Some(admin) = running.first_admin() {
        print_first_admin(admin);
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("shutting down");
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn print_first_admin(admin: &FirstAdmin) {
    match &admin.one_time_password {
        Some(password) => println!("First admin: {}   password (shown only now): {password}", admin.email),
        None => println!("First admin: {}   password: as set", admin.email),
    }
}
