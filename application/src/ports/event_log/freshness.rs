//! How much of the log a state contains.

use super::place::{Position, Sequence, StreamId};

/// How much of the log a state of one stream contains. Only an [`EventLog`](super::EventLog) makes and compares it; all
/// other code passes it on.
///
/// A crash of the database can roll back events that could be read but were not yet on its disk. Each rollback that the
/// log notices begins a new generation: a state of an older generation may hold events that are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Freshness {
    // In this order: a newer generation outweighs more events.
    generation: u64,
    version: Sequence,
    as_of: Position,
}

impl Freshness {
    /// For a stream that has not been read yet, in this generation of a log that is known up to `as_of`.
    #[must_use]
    pub const fn new(generation: u64, as_of: Position) -> Self {
        Self { generation, version: 0, as_of }
    }

    /// For a state that contains the stream's events up to this one.
    #[must_use]
    pub const fn at_version(self, version: Sequence) -> Self {
        Self { version, ..self }
    }

    /// For the same state, once the stream is known to have no other events up to `as_of`.
    #[must_use]
    pub fn confirmed(self, as_of: Position) -> Self {
        Self { as_of: as_of.max(self.as_of), ..self }
    }

    /// The sequence of the last event in the state.
    #[must_use]
    pub const fn version(&self) -> Sequence {
        self.version
    }

    /// The state contains every event of the stream up to this position.
    #[must_use]
    pub const fn as_of(&self) -> Position {
        self.as_of
    }

    /// Whether a rollback lies between the two, so that the older state may contain events that are gone.
    #[must_use]
    pub const fn is_of_another_generation(&self, other: &Self) -> bool {
        self.generation != other.generation
    }
}

/// A stream, and how much of it the caller knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenStream {
    pub stream: StreamId,
    /// How much of the stream the caller has read.
    pub freshness: Freshness,
}

/// Which streams have changed since they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The streams with events that the caller does not know, and those that were read before a rollback.
    pub grown: Vec<StreamId>,
    /// The other streams have no further events up to this position.
    pub as_of: Position,
}
