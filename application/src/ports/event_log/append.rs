//! What is appended, and what the log answers.

use domain::ids::{CommandId, EventId};
use domain::time::Timestamp;
use uuid::Uuid;

use super::place::{Hash, Position, Sequence, StreamId, StreamVersion};

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
