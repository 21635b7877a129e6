//! The signals that ask a program to end, and those that must not end it.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask for an end.
pub(super) struct EndSignals {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
    _survived: Vec<Signal>,
}

/// Signals that other programs send on the assumption that a service reads its files again: logrotate, service managers,
/// terminals that close; and those of timers and files that nobody here has asked for. There is nothing to read again, and the
/// system would end the program.
const SURVIVED: [fn() -> SignalKind; 5] =
    [SignalKind::hangup, SignalKind::user_defined1, SignalKind::user_defined2, SignalKind::alarm, SignalKind::io];

impl EndSignals {
    /// Handles the signals from now on; they no longer end the program by themselves.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            _survived: vec![],
        })
    }

    /// The same for a service, which only these signals end.
    pub(super) fn listen_as_service() -> io::Result<Self> {
        // While the system has a handler for a signal, it does nothing else.
        let survived = SURVIVED.into_iter().map(|kind| signal(kind())).collect::<io::Result<_>>()?;
        Ok(Self { _survived: survived, ..Self::listen()? })
    }

    /// Completes with the next signal.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.quit.recv() => {}
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
