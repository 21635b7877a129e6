use std::fmt;
use std::sync::Arc;

use application::ports::{Clock, Ids};

/// Where nodes meet on a Redis, and what they need to get there.
#[derive(Clone)]
pub struct ChannelOptions {
    /// Such as `redis://127.0.0.1:6379`.
    pub url: String,
    /// The channel: shared by the nodes of one installation, and used by no other.
    pub channel: String,
    /// Waits between attempts.
    pub clock: Arc<dyn Clock>,
    /// Spreads the attempts of several nodes, and names them.
    pub ids: Arc<dyn Ids>,
}

impl fmt::Debug for ChannelOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("ChannelOptions").field("channel", &self.channel).finish_non_exhaustive()
    }
}
