//! What a rebuild reports: its progress, and its result.

use std::time::Duration;

use application::ports::Position;

/// Follows the progress of a rebuild.
pub trait RebuildObserver: Send + Sync {
    /// The log was read to this position; `end` is where the rebuild goes on to, as far as is known.
    fn reached(&self, position: Position, end: Position);

    /// What it does now, other than reading the log.
    fn does(&self, what: &'static str);
}

/// Progress that nobody follows.
impl RebuildObserver for () {
    fn reached(&self, _: Position, _: Position) {}

    fn does(&self, _: &'static str) {}
}

/// What a rebuild did.
#[derive(Clone, Debug, PartialEq)]
pub struct Rebuilt {
    /// The names of the subscribers.
    pub projectors: Vec<&'static str>,
    /// The names of their tables.
    pub tables: Vec<&'static str>,
    /// The place in the log up to which the furthest of them holds everything.
    pub position: Position,
    /// How many rows were compared, when nothing was replaced.
    pub compared: u64,
    /// How long it took to fill the copies.
    pub filled_in: Duration,
}
