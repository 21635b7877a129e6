//! What is read from the log.

use domain::aggregate::AggregateType;
use domain::event::AnyEvent;
use domain::ids::{CommandId, EventId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::place::{Epoch, Hash, Position, Sequence, StreamId};

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The positions have a gap, or a known position has another hash: this is not the history that was read before.
    #[error("the history of the log has changed at position {position}")]
    HistoryForked { position: Position },
    /// A stored event that this program does not understand.
    #[error("event at position {position} cannot be read")]
    Undecodable {
        /// The position; 0 if the event was read by its stream.
        position: Position,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database cannot be reached or fails.
    #[error("event log is unavailable")]
    Unavailable {
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A stored event without its payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventHeader {
    pub position: Position,
    pub aggregate_type: AggregateType,
    pub aggregate_id: Uuid,
    pub sequence: Sequence,
    pub event_id: EventId,
    /// As stored, before upcasters.
    pub event_type: String,
    /// As stored, before upcasters.
    pub event_version: String,
    /// All events of one append have the same command id.
    pub command_id: CommandId,
    /// The event that caused the command.
    pub causation_id: Option<EventId>,
    /// The request, chat or process to which the event belongs.
    pub correlation_id: Uuid,
    /// `agent:<id>`, `visitor:<id>` or `system:<name>`.
    pub actor: String,
    /// Never before the predecessor's time.
    pub recorded_at: Timestamp,
    /// The hash of the chain up to and including this event.
    #[serde(skip)]
    pub chain_hash: Hash,
}

impl EventHeader {
    /// The aggregate that the event happened to.
    #[must_use]
    pub const fn stream(&self) -> StreamId {
        StreamId { kind: self.aggregate_type, id: self.aggregate_id }
    }
}

/// An event as read from the log, upcast and decoded.
#[derive(Clone, Debug)]
pub struct LogEvent {
    pub header: EventHeader,
    pub event: AnyEvent,
}

/// An event as read from its stream, upcast but not decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamEvent {
    pub sequence: Sequence,
    /// JSON of the newest version.
    pub payload: Value,
}

/// A snapshot of an aggregate.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionedState {
    /// The sequence of the last event that the state contains.
    pub version: Sequence,
    /// The serialised aggregate.
    pub state: Value,
}

/// The end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHead {
    /// The position of the last event; 0 if there is none.
    pub position: Position,
    /// The chain's hash at that position.
    pub chain_hash: Hash,
    /// The time of the last event.
    pub recorded_at: Timestamp,
    /// The history that ends here.
    pub epoch: Epoch,
}

impl LogHead {
    /// The moment at which the log ended here.
    #[must_use]
    pub const fn as_of(&self) -> AsOf {
        AsOf(self.position)
    }
}

/// A moment at which the end of the log was read: everything committed before it is at its position or below. Several
/// reads for one purpose can share it instead of each asking the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf(Position);

impl AsOf {
    /// The end of the log at this moment.
    #[must_use]
    pub const fn position(self) -> Position {
        self.0
    }
}
