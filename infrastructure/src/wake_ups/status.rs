use std::fmt;

/// Whether signals between nodes get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeUpStatus {
    /// This node is configured to be the only one.
    Alone,
    /// The first connection is still being made.
    Connecting,
    /// Signals get through.
    Connected,
    /// Signals do not get through; nodes find new events by polling.
    Disconnected,
}

impl fmt::Display for WakeUpStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alone => "alone",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
        })
    }
}
