//! The twin for a single node.

use application::ports::{Position, WakeUps};
use async_trait::async_trait;

use super::WakeUpStatus;

/// Tells nobody: for a node that is alone, and whose own followers the log wakes itself.
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
