//! Signals between nodes that the log has grown.

mod memory;
mod status;

use std::sync::Arc;

use application::ports::Position;

pub use memory::NoWakeUps;
pub use status::WakeUpStatus;

/// Called with each position that a node announced, this one included.
///
/// The position comes from a channel that anybody may write to: take it as a reason to look into the log.
pub type OnAnnounced = Arc<dyn Fn(Position) + Send + Sync>;
