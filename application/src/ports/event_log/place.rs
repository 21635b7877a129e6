//! Places in the log, and streams.

use std::fmt;

use domain::aggregate::AggregateType;
use domain::ids::EntityId;
use uuid::Uuid;

/// The place of an event in the log: 1 for the first, without gaps, in the order of commits. 0 is before the first.
pub type Position = i64;

/// The place of an event in its stream: 1 for the first, without gaps. 0 is the version of an empty stream.
pub type Sequence = i64;

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// The id of one history of the log. A restored log has a new one.
pub type Epoch = Uuid;

/// A stream: the events of one aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    pub kind: AggregateType,
    /// The aggregate's id without its type.
    pub id: Uuid,
}

impl StreamId {
    /// The stream of the aggregate `A` with this id.
    #[must_use]
    pub fn of<A: domain::aggregate::Root>(id: A::Id) -> Self {
        Self { kind: A::KIND, id: id.uuid() }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

/// A stream, and how far it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamVersion {
    pub stream: StreamId,
    /// The sequence of the last event; 0 if there is none.
    pub version: Sequence,
}
