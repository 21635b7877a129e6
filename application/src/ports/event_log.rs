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

/// Names one history of the log; a restored log has a new one.
pub type Epoch = Uuid;

/// Names a stream: the events of one aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// The kind of the aggregate.
    pub kind: AggregateType,
    /// The id of the aggregate.
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

/// An event that is to be appended.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its id.
    pub event_id: EventId,
    /// The wire name.
    pub event_type: String,
    /// The version of its JSON.
    pub event_version: String,
    /// The JSON, as bytes that will be hashed.
    pub payload: String,
}

/// Events for one stream.
#[derive(Clone, Debug)]
pub struct StreamAppend {
    /// The stream.
    pub stream: StreamId,
    /// The sequence of its last event; 0 when the stream must not exist yet.
    pub expected_version: Sequence,
    /// The events, in order; at least one.
    pub events: Vec<NewEvent>,
}

/// Marks a command whose id may come again, because a client or a process manager may repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeatable {
    /// SHA-256 of what the command asks for: the same id with another digest is another command.
    pub request_digest: Hash,
}

/// Events for one or several streams: all of them are appended, or none.
#[derive(Clone, Debug)]
pub struct AppendRequest {
    /// The command that made the events.
    pub command_id: CommandId,
    /// Present when the command may come again; it is then remembered.
    pub repeatable: Option<Repeatable>,
    /// Who gave the command: `agent:<id>`, `visitor:<id>` or `system:<name>`.
    pub actor: String,
    /// The request, chat or process that this command belongs to.
    pub correlation_id: Uuid,
    /// The event that caused the command, if one did.
    pub causation_id: Option<EventId>,
    /// The streams, each once.
    pub streams: Vec<StreamAppend>,
    /// What else the decision rests on: streams that get no events, and must be at their versions all the same.
    pub observed: Vec<StreamVersion>,
}

/// A stream at a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamVersion {
    /// The stream.
    pub stream: StreamId,
    /// The sequence of its last event; 0 when it has none.
    pub version: Sequence,
}

/// How much of the log a state of one stream holds. An [`EventLog`] makes it before the stream is read, and compares it;
/// everybody else only passes it on.
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
    /// Of a stream of which nothing has been read yet, in this generation of a log that is known up to `as_of`.
    #[must_use]
    pub const fn new(generation: u64, as_of: Position) -> Self {
        Self { generation, version: 0, as_of }
    }

    /// Of the state that includes the stream's events up to this one.
    #[must_use]
    pub const fn at_version(self, version: Sequence) -> Self {
        Self { version, ..self }
    }

    /// Of the same state, now that the stream is known to have no other events up to `as_of`.
    #[must_use]
    pub fn confirmed(self, as_of: Position) -> Self {
        Self { as_of: as_of.max(self.as_of), ..self }
    }

    /// The sequence of the last event in the state.
    #[must_use]
    pub const fn version(&self) -> Sequence {
        self.version
    }

    /// The state holds every event of the stream up to this place in the log.
    #[must_use]
    pub const fn as_of(&self) -> Position {
        self.as_of
    }

    /// Whether a rollback lies between the two, so that the older state may hold events that are gone.
    #[must_use]
    pub const fn is_of_another_generation(&self, other: &Self) -> bool {
        self.generation != other.generation
    }
}

/// A stream, and how much of it the caller knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenStream {
    /// The stream.
    pub stream: StreamId,
    /// How much of it is known.
    pub freshness: Freshness,
}

/// Which streams have changed since they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The streams with events that the caller does not know, and those that were read before a rollback.
    pub grown: Vec<StreamId>,
    /// The other streams have no further events up to this place in the log.
    pub as_of: Position,
}

/// Where events were appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The position of the first event.
    pub first_position: Position,
    /// The position of the last event.
    pub last_position: Position,
    /// When the log recorded them.
    pub recorded_at: Timestamp,
}

/// What the log remembers of a repeatable command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRecord {
    /// The digest that the command came with.
    pub request_digest: Hash,
    /// Where its events are.
    pub receipt: Receipt,
}

/// Why an append did not happen, or is not known to have happened.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another event is already at the expected place of this stream.
    #[error("stream {stream} has moved on")]
    Conflict {
        /// The stream.
        stream: StreamId,
    },
    /// A command with this id was appended before.
    #[error("command {command_id} was carried out before")]
    Repeated {
        /// The id.
        command_id: CommandId,
        /// What is remembered of it.
        record: CommandRecord,
    },
    /// The request holds no events, a stream twice, or more than fits one append.
    #[error("append request is not valid: {reason}")]
    Invalid {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The database cannot be reached or refuses to work. Whether the append happened may be unknown; the same
    /// repeatable command may be sent again.
    #[error("event log is unavailable")]
    Unavailable {
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A hole in the positions, or a position whose hash has changed: this is not the history that was read before.
    #[error("the history of the log has changed at position {position}")]
    HistoryForked {
        /// Where.
        position: Position,
    },
    /// A stored event that this program does not understand.
    #[error("event at position {position} cannot be read")]
    Undecodable {
        /// Where; 0 when read by stream.
        position: Position,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database cannot be reached or refuses to work.
    #[error("event log is unavailable")]
    Unavailable {
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What is known of a stored event beside its payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventHeader {
    /// Its place in the log.
    pub position: Position,
    /// Its stream's kind.
    pub aggregate_type: AggregateType,
    /// Its stream's id.
    pub aggregate_id: Uuid,
    /// Its place in the stream.
    pub sequence: Sequence,
    /// Its id.
    pub event_id: EventId,
    /// The wire name, as stored.
    pub event_type: String,
    /// The version, as stored.
    pub event_version: String,
    /// The command that made it.
    pub command_id: CommandId,
    /// The event that caused the command.
    pub causation_id: Option<EventId>,
    /// The request, chat or process it belongs to.
    pub correlation_id: Uuid,
    /// Who gave the command.
    pub actor: String,
    /// When the log recorded it; never before its predecessor.
    pub recorded_at: Timestamp,
    /// The chain's hash up to and with this event.
    #[serde(skip)]
    pub chain_hash: Hash,
}

impl EventHeader {
    /// The stream it belongs to.
    #[must_use]
    pub const fn stream(&self) -> StreamId {
        StreamId { kind: self.aggregate_type, id: self.aggregate_id }
    }
}

/// An event as read from the log, upcast and decoded.
#[derive(Clone, Debug)]
pub struct LogEvent {
    /// What is known beside the payload.
    pub header: EventHeader,
    /// The event.
    pub event: AnyEvent,
}

/// An event as read from its stream, upcast but not decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamEvent {
    /// Its place in the stream.
    pub sequence: Sequence,
    /// Its JSON, of the newest version.
    pub payload: Value,
}

/// A stored state of an aggregate.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionedState {
    /// The sequence of the last event in it.
    pub version: Sequence,
    /// The serialised aggregate.
    pub state: Value,
}

/// The end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHead {
    /// The position of the last event; 0 when there is none.
    pub position: Position,
    /// The chain's hash at that position.
    pub chain_hash: Hash,
    /// The time of the last event.
    pub recorded_at: Timestamp,
    /// Which history this is.
    pub epoch: Epoch,
}

impl LogHead {
    /// The moment in which the log ended here.
    #[must_use]
    pub const fn as_of(&self) -> AsOf {
        AsOf(self.position)
    }
}

/// A moment in which the end of the log was read: whatever was committed before is at its position or below. Several
/// reads for one purpose can rest on it, instead of asking the database each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf(Position);

impl AsOf {
    /// Where the log ended.
    #[must_use]
    pub const fn position(self) -> Position {
        self.0
    }
}

/// The event log. Whoever sees position N sees every position below N.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Appends all events of the request, or none; answers after the commit.
    ///
    /// # Errors
    /// See [`AppendError`].
    async fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError>;

    /// What is remembered of a repeatable command.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn find_command(&self, command_id: CommandId) -> Result<Option<CommandRecord>, ReadError>;

    /// The events after `after`, in order, at most `limit`; fewer than there are is possible, none means that there
    /// are none.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<Arc<LogEvent>>, ReadError>;

    /// The events of one stream after `after`, in order.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn read_stream(&self, stream: StreamId, after: Sequence) -> Result<Vec<StreamEvent>, ReadError>;

    /// Which of these streams have further events. Without `as_of` it considers everything that was committed before the
    /// call. With `as_of` it considers at least what was committed by then, and does not ask the database where the log
    /// ends.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn find_grown(&self, seen: &[SeenStream], as_of: Option<AsOf>) -> Result<Growth, ReadError>;

    /// The freshness of a stream of which nothing has been read yet. Take it before reading: a state that was read before
    /// a rollback must not pass for one that was read after it.
    fn nothing_read(&self) -> Freshness;

    /// The newest usable snapshot of a stream. A snapshot that this program cannot use is none.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn find_snapshot(&self, stream: StreamId, fingerprint: &str) -> Result<Option<VersionedState>, ReadError>;

    /// Keeps a snapshot beside the log. Losing it loses nothing.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn save_snapshot(
        &self,
        stream: StreamId,
        fingerprint: &str,
        snapshot: VersionedState,
    ) -> Result<(), ReadError>;

    /// The end of the log, read from the database.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn head(&self) -> Result<LogHead, ReadError>;

    /// Whether the log has failed for good, so that only a restart of the process helps.
    fn has_broken_down(&self) -> bool;

    /// The highest position that this node knows of; changes wake those who follow the log.
    fn known_position(&self) -> watch::Receiver<Position>;
}

/// [`EventLog::find_grown`] for logs that have everything at hand, as those of tests: it reads each stream.
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
