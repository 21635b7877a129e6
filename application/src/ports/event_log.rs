//! The append-only, globally ordered event log.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use domain::aggregate::AggregateType;
use domain::event::AnyEvent;
use domain::ids::{CommandId, EntityId, EventId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
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

/// An event to append.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub event_id: EventId,
    /// The wire name.
    pub event_type: String,
    /// The version of its JSON.
    pub event_version: String,
    /// The JSON. Its bytes are hashed, so they are stored unchanged.
    pub payload: String,
}

/// Events for one stream.
#[derive(Clone, Debug)]
pub struct StreamAppend {
    pub stream: StreamId,
    /// The sequence of the stream's last event; 0 if it must have none yet.
    pub expected_version: Sequence,
    /// The events, in order; at least one.
    pub events: Vec<NewEvent>,
}

/// Marks a command that a client or a process manager may repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeatable {
    /// SHA-256 of the request: the same command id with another digest is a misused id.
    pub request_digest: Hash,
}

/// Events for one or several streams: all of them are appended, or none.
#[derive(Clone, Debug)]
pub struct AppendRequest {
    /// The command that made the events.
    pub command_id: CommandId,
    /// Present if the command may be repeated; the log then remembers it.
    pub repeatable: Option<Repeatable>,
    /// `agent:<id>`, `visitor:<id>` or `system:<name>`.
    pub actor: String,
    /// The request, chat or process to which the command belongs.
    pub correlation_id: Uuid,
    /// The event that caused the command, if one did.
    pub causation_id: Option<EventId>,
    /// The streams, each once.
    pub streams: Vec<StreamAppend>,
    /// Streams that were only read. They get no events, but must still be at these versions.
    pub observed: Vec<StreamVersion>,
}

/// A stream, and how far it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamVersion {
    pub stream: StreamId,
    /// The sequence of the last event; 0 if there is none.
    pub version: Sequence,
}

/// How much of the log a state of one stream contains. Only an [`EventLog`] makes and compares it; all other code passes
/// it on.
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

/// Where events were appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The position of the first event.
    pub first_position: Position,
    /// The position of the last event.
    pub last_position: Position,
    pub recorded_at: Timestamp,
}

/// What the log remembers of a repeatable command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRecord {
    /// The digest of the first request.
    pub request_digest: Hash,
    /// Where the events of the first time are.
    pub receipt: Receipt,
}

/// Why an append failed, or why its outcome is unknown.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another event is already at the expected place of this stream.
    #[error("stream {stream} has moved on")]
    Conflict { stream: StreamId },
    /// A command with this id was appended before.
    #[error("command {command_id} was carried out before")]
    Repeated {
        command_id: CommandId,
        /// What the log remembers of it.
        record: CommandRecord,
    },
    /// The request holds no events, a stream twice, or more than fits one append.
    #[error("append request is not valid: {reason}")]
    Invalid {
        /// What is wrong, for people.
        reason: &'static str,
    },
    /// The database cannot be reached or fails. The events may have been appended all the same: a repeatable command
    /// can safely be sent again.
    #[error("event log is unavailable")]
    Unavailable {
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

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

/// The event log. A reader that sees position N sees every position below N.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Appends all events of the request or none. Returns after the commit.
    ///
    /// # Errors
    /// See [`AppendError`].
    async fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError>;

    /// Finds a repeatable command that was carried out before.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn find_command(&self, command_id: CommandId) -> Result<Option<CommandRecord>, ReadError>;

    /// Reads at most `limit` events after `after`, in order. The page may be shorter than the log; an empty page means
    /// the end of the log.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<Arc<LogEvent>>, ReadError>;

    /// Reads the events of one stream after `after`, in order.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn read_stream(&self, stream: StreamId, after: Sequence) -> Result<Vec<StreamEvent>, ReadError>;

    /// Finds which of these streams have further events. Without `as_of` it considers everything that was committed
    /// before the call. With `as_of` it considers at least what was committed by then, and does not ask the database
    /// where the log ends.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn find_grown(&self, seen: &[SeenStream], as_of: Option<AsOf>) -> Result<Growth, ReadError>;

    /// The freshness of a stream of which nothing has been read yet. Take it before reading: a state that was read before
    /// a rollback must not pass for one that was read after it.
    fn nothing_read(&self) -> Freshness;

    /// Finds the newest snapshot with this fingerprint.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn find_snapshot(&self, stream: StreamId, fingerprint: &str) -> Result<Option<VersionedState>, ReadError>;

    /// Stores a snapshot. A lost snapshot only costs time.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn save_snapshot(
        &self,
        stream: StreamId,
        fingerprint: &str,
        snapshot: VersionedState,
    ) -> Result<(), ReadError>;

    /// Reads the end of the log from the database.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn head(&self) -> Result<LogHead, ReadError>;

    /// Whether the log has failed for good, so that only a restart of the process helps.
    fn has_broken_down(&self) -> bool;

    /// The highest position that this node knows of. Followers of the log wait for it to change.
    fn known_position(&self) -> watch::Receiver<Position>;
}

/// [`EventLog::find_grown`] for logs in memory, such as those of tests: it reads each stream.
///
/// # Errors
/// See [`ReadError`].
pub async fn find_grown_by_reading(
    log: &dyn EventLog,
    seen: &[SeenStream],
    as_of: Option<AsOf>,
) -> Result<Growth, ReadError> {
    let as_of = as_of.map_or_else(|| *log.known_position().borrow(), AsOf::position);
    let now = log.nothing_read();
    let mut grown = vec![];
    for SeenStream { stream, freshness } in seen {
        let is_outdated = freshness.is_of_another_generation(&now);
        if is_outdated || !log.read_stream(*stream, freshness.version()).await?.is_empty() {
            grown.push(*stream);
        }
    }
    Ok(Growth { grown, as_of })
}
