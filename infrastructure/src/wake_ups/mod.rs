//! Signals between nodes that the log has grown.

mod memory;
mod redis;
mod state;

use std::sync::Arc;

use application::ports::Position;

pub use memory::NoWakeUps;
pub use redis::{RedisWakeUps, WakeUpOptions};
pub use state::WakeUpStatus;

/// Called with each position that a node announced, this one included.
///
/// The position is what somebody wrote into a channel, not what the log holds: take it as a reason to look.
pub type OnAnnounced = Arc<dyn Fn(Position) + Send + Sync>;
