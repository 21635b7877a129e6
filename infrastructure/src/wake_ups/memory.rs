//! The adapter for a single node.

use application::ports::{Position, WakeUps};
use async_trait::async_trait;

use super::WakeUpStatus;

/// Announces nothing: the log itself wakes the followers of its own node.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWakeUps;

impl NoWakeUps {
    /// Always [`WakeUpStatus::Alone`].
    #[must_use]
    pub const fn status(self) -> WakeUpStatus {
        WakeUpStatus::Alone
    }
}

#[async_trait]
impl WakeUps for NoWakeUps {
    fn announce(&self, _position: Position) {}
}
