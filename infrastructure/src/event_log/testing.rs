//! Requests and logs for tests.

use std::sync::Arc;

use application::ports::{
    AppendRequest, EventHeader, LogEvent, NewEvent, Position, Repeatable, Sequence, StreamAppend, StreamId,
    StreamVersion,
};
use domain::aggregate::AggregateType;
use domain::event::AnyEvent;
use domain::ids::{CommandId, EventId};
use domain::tag::TagEvent;
use domain::time::Timestamp;
use uuid::Uuid;

use super::{LogPorts, SqlEventLog};
use crate::database::Database;
use crate::system::{RandomIds, SystemClock};

/// The stream of a tag.
pub fn stream(id: u128) -> StreamId {
    StreamId { kind: AggregateType::Tag, id: Uuid::from_u128(id) }
}

fn new_id() -> Uuid {
    use application::ports::Ids;
    RandomIds.new_uuid()
}

/// Streams with their expected version and number of events.
pub fn append(streams: &[(StreamId, Sequence, usize)]) -> AppendRequest {
    AppendRequest {
        command_id: CommandId::new(new_id()),
        repeatable: None,
        actor: "system:test".into(),
        correlation_id: Uuid::from_u128(5),
        causation_id: None,
        streams: streams.iter().map(|(stream, version, count)| stream_append(*stream, *version, *count)).collect(),
        observed: vec![],
    }
}

fn stream_append(stream: StreamId, expected_version: Sequence, count: usize) -> StreamAppend {
    StreamAppend { stream, expected_version, events: (0..count).map(|_| new_event()).collect() }
}

pub fn new_event() -> NewEvent {
    NewEvent {
        event_id: EventId::new(new_id()),
        event_type: "TagDeleted".into(),
        event_version: "1.0".into(),
        payload: r#"{"type":"TagDeleted","at":"2024-01-02T03:04:05.000006Z"}"#.into(),
    }
}

/// The same, resting on these streams being at these versions.
pub fn observing(request: AppendRequest, streams: &[(StreamId, Sequence)]) -> AppendRequest {
    let observed = streams.iter().map(|(stream, version)| StreamVersion { stream: *stream, version: *version });
    AppendRequest { observed: observed.collect(), ..request }
}

/// The same, with an id that may come again.
pub fn repeatable(streams: &[(StreamId, Sequence, usize)]) -> AppendRequest {
    AppendRequest { repeatable: Some(Repeatable { request_digest: [7; 32] }), ..append(streams) }
}

pub fn log_event(position: Position) -> Arc<LogEvent> {
    let header = EventHeader {
        position,
        aggregate_type: AggregateType::Tag,
        aggregate_id: Uuid::nil(),
        sequence: position,
        event_id: EventId::new(Uuid::nil()),
        event_type: "TagDeleted".into(),
        event_version: "1.0".into(),
        command_id: CommandId::new(Uuid::nil()),
        causation_id: None,
        correlation_id: Uuid::nil(),
        actor: "system:test".into(),
        recorded_at: Timestamp::from_micros(0),
        chain_hash: [0; 32],
    };
    Arc::new(LogEvent { header, event: AnyEvent::Tag(TagEvent::TagDeleted { at: Timestamp::from_micros(0) }) })
}

pub fn ports() -> LogPorts {
    LogPorts::alone(Arc::new(SystemClock), Arc::new(RandomIds))
}

pub async fn start(database: &Database) -> SqlEventLog {
    SqlEventLog::start(database.clone(), ports()).await.unwrap()
}
