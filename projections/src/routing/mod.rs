//! The router's stored memory: what it folded from the log, and its failed attempts.

mod attempts;
mod parts;
mod queries;
mod snapshot;
mod subscriber;
#[cfg(test)]
mod tests;

pub use attempts::SqlAttemptStore;
pub use queries::{QueueStats, QueuedChat, RoutingQueries};
pub use subscriber::RouterSubscriber;

pub(crate) use parts::{QUEUE_TABLE, STATE_TABLE};
pub(crate) use subscriber::TABLES;
