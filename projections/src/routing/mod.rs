//! The router's stored state: what it folded from the log, and its failed attempts.

mod attempts;
mod parts;
mod projector;
mod queries;
mod snapshot;
#[cfg(test)]
mod tests;

pub use attempts::SqlAttemptStore;
pub use projector::{PROJECTOR, RoutingProjector};
pub use queries::{QueueStats, QueuedChat, RoutingQueries};

pub(crate) use parts::{QUEUE_TABLE, STATE_TABLE};
#[cfg(test)]
pub(crate) use projector::TABLES;
