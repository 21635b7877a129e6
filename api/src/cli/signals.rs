//! SIGINT and SIGTERM, which ask a program to end.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask for an end.
pub(super) struct EndSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl EndSignals {
    /// Handles the signals from now on; they no longer end the program by themselves.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Completes with the next signal.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Completes with the next signal; never, if the system cannot report signals.
pub(super) async fn interrupted() {
    match EndSignals::listen() {
        Ok(mut signals) => signals.next().await,
        Err(_) => std::future::pending().await,
    }
}
