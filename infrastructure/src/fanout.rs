//! Messages to all nodes that nobody stores.

use std::sync::Arc;

use application::ports::Fanout;

/// Called with each message, also of this node. The message comes from a channel that anybody may write to.
pub type OnMessage = Arc<dyn Fn(&str) + Send + Sync>;

/// The adapter for a single node.
pub struct LocalFanout(OnMessage);

impl LocalFanout {
    /// Passes messages on to this receiver.
    #[must_use]
    pub const fn new(on_message: OnMessage) -> Self {
        Self(on_message)
    }
}

impl Fanout for LocalFanout {
    fn send(&self, message: &str) {
        (self.0)(message);
    }
}
