//! An append request, checked and made ready in the caller's task so that the appender has little left to do.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use application::ports::{
    AppendError, AppendRequest, EventHeader, Hash, NewEvent, Sequence, StreamAppend, StreamId, StreamVersion,
};
use domain::ids::CommandId;
use domain::time::Timestamp;

use crate::database::{Dialect, SqlValue, Statement, push_text};
use crate::event_log::chain::{FixedFields, payload_digest};
use crate::sql_args;

/// The most events of one request, and of one batch; and the most streams that a request has only looked at.
pub(crate) const MAX_EVENTS: usize = 1_000;

/// The most payload of one request in bytes: well below the smallest default packet of a server.
const MAX_PAYLOAD: usize = 4 << 20;

/// The metadata column: everything known of an event has a column of its own.
const METADATA: &str = "{}";

/// What fits the columns, in bytes.
const MAX_ACTOR: usize = 128;
const MAX_TYPE: usize = 64;
const MAX_VERSION: usize = 16;

const SALT_LENGTH: usize = 16;

/// A request that is ready to be appended.
pub(crate) struct Prepared {
    pub(crate) command_id: CommandId,
    pub(crate) request_digest: Option<Hash>,
    pub(crate) streams: Vec<ExpectedStream>,
    pub(crate) observed: Vec<StreamVersion>,
    pub(crate) events: Vec<PreparedEvent>,
    pub(crate) payload_bytes: usize,
    pub(crate) more: MoreStatements,
}

/// More statements of the same transaction.
#[derive(Default)]
pub(crate) struct MoreStatements {
    /// For MySQL, each with its semicolon.
    pub(crate) text: String,
    /// For SQLite.
    pub(crate) statements: Vec<Statement>,
}

/// The values of an event in the order of [`VALUE_COLUMNS`](crate::event_log::stored::VALUE_COLUMNS).
pub(crate) struct EventValues {
    /// As SQL, for MySQL.
    pub(crate) text: String,
    /// For SQLite. Shared by the plans of several attempts.
    pub(crate) bound: Arc<[SqlValue]>,
}

/// A stream that must be at a version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpectedStream {
    pub(crate) stream: StreamId,
    pub(crate) expected: Sequence,
    pub(crate) after: Sequence,
}

/// An event that lacks only its position, time and hash.
pub(crate) struct PreparedEvent {
    pub(crate) header: EventHeader,
    pub(crate) payload: String,
    pub(crate) fixed: FixedFields,
    pub(crate) digest: Hash,
    pub(crate) values: EventValues,
}

impl Prepared {
    pub(crate) fn new(request: AppendRequest, dialect: Dialect) -> Result<Self, AppendError> {
        let payload_bytes = check(&request)?;
        let count = request.streams.iter().map(|stream| stream.events.len()).sum();
        let salts = random_salts(count)?;
        let streams = request.streams.iter().map(ExpectedStream::of).collect();
        let mut events = Vec::with_capacity(count);
        for append in &request.streams {
            for (sequence, event) in (append.expected_version + 1..).zip(&append.events) {
                let header = header(&request, append.stream, sequence, event);
                let salt = &salts[events.len() * SALT_LENGTH..][..SALT_LENGTH];
                events.push(PreparedEvent::new(header, event.payload.clone(), salt, dialect));
            }
        }
        let request_digest = request.repeatable.map(|repeatable| repeatable.request_digest);
        let AppendRequest { command_id, observed, .. } = request;
        Ok(Self {
            command_id,
            request_digest,
            streams,
            observed,
            events,
            payload_bytes,
            more: MoreStatements::default(),
        })
    }
}

impl ExpectedStream {
    fn of(append: &StreamAppend) -> Self {
        let count = Sequence::try_from(append.events.len()).unwrap_or(Sequence::MAX);
        Self { stream: append.stream, expected: append.expected_version, after: append.expected_version + count }
    }
}

impl PreparedEvent {
    fn new(header: EventHeader, payload: String, salt: &[u8], dialect: Dialect) -> Self {
        let fixed = FixedFields::of(&header, METADATA);
        let digest = payload_digest(salt, &payload);
        let values = match dialect {
            Dialect::Mysql => EventValues { text: text(&header, &payload, salt, &digest), bound: Arc::new([]) },
            Dialect::Sqlite => EventValues { text: String::new(), bound: bound(&header, &payload, salt, &digest) },
        };
        Self { header, payload, fixed, digest, values }
    }
}

/// Gives the number of payload bytes.
fn check(request: &AppendRequest) -> Result<usize, AppendError> {
    let invalid = |reason| Err(AppendError::Invalid { reason });
    let events = || request.streams.iter().flat_map(|stream| &stream.events);
    if request.streams.is_empty() || request.streams.iter().any(|stream| stream.events.is_empty()) {
        return invalid("a stream without events");
    }
    let observed = request.observed.iter().map(|observed| observed.version);
    let mut versions = request.streams.iter().map(|stream| stream.expected_version).chain(observed);
    if versions.any(|version| !(0..i64::MAX / 2).contains(&version)) {
        return invalid("a version that no stream can have");
    }
    let is_name = |name: &str, longest| name.is_ascii() && (1..=longest).contains(&name.len());
    if !events().all(|event| is_name(&event.event_type, MAX_TYPE) && is_name(&event.event_version, MAX_VERSION)) {
        return invalid("an event type or version that is no short name");
    }
    if request.actor.len() > MAX_ACTOR {
        return invalid("an actor that is too long");
    }
    let mut seen = HashSet::new();
    let observed = request.observed.iter().map(|observed| observed.stream);
    if !request.streams.iter().map(|stream| stream.stream).chain(observed).all(|stream| seen.insert(stream)) {
        return invalid("a stream twice");
    }
    let payload_bytes = events().map(|event| event.payload.len()).sum();
    if events().count() > MAX_EVENTS || request.observed.len() > MAX_EVENTS || payload_bytes > MAX_PAYLOAD {
        return invalid("more than fits one append");
    }
    Ok(payload_bytes)
}

fn random_salts(count: usize) -> Result<Vec<u8>, AppendError> {
    let mut salts = vec![0; count * SALT_LENGTH];
    getrandom::fill(&mut salts).map_err(|error| AppendError::Unavailable { source: Box::new(error) })?;
    Ok(salts)
}

fn header(request: &AppendRequest, stream: StreamId, sequence: Sequence, event: &NewEvent) -> EventHeader {
    EventHeader {
        position: 0,
        aggregate_type: stream.kind,
        aggregate_id: stream.id,
        sequence,
        event_id: event.event_id,
        event_type: event.event_type.clone(),
        event_version: event.event_version.clone(),
        command_id: request.command_id,
        causation_id: request.causation_id,
        correlation_id: request.correlation_id,
        actor: request.actor.clone(),
        recorded_at: Timestamp::from_micros(0),
        chain_hash: [0; 32],
    }
}

fn bound(header: &EventHeader, payload: &str, salt: &[u8], digest: &Hash) -> Arc<[SqlValue]> {
    let values = sql_args![
        header.aggregate_type.as_str(),
        header.aggregate_id,
        header.sequence,
        header.event_type.as_str(),
        header.event_version.as_str(),
        payload,
        METADATA,
        header.event_id.to_string(),
        header.command_id.to_string(),
        header.causation_id.map(|id| id.to_string()),
        header.correlation_id,
        header.actor.as_str(),
        salt,
        *digest,
    ];
    values.into()
}

/// Names of kinds and UUIDs need no escaping. Every other text is written in hexadecimal, so that it needs none either.
fn text(header: &EventHeader, payload: &str, salt: &[u8], digest: &Hash) -> String {
    let mut sql = String::with_capacity(payload.len() * 2 + 768);
    let _ = write!(sql, "'{}','{}',{},", header.aggregate_type, header.aggregate_id, header.sequence);
    for text in [header.event_type.as_str(), header.event_version.as_str(), payload] {
        push_text(&mut sql, text);
        sql.push(',');
    }
    let _ = write!(sql, "'{METADATA}','{}','{}',", header.event_id, header.command_id);
    match header.causation_id {
        Some(id) => drop(write!(sql, "'{id}'")),
        None => sql.push_str("NULL"),
    }
    let _ = write!(sql, ",'{}',", header.correlation_id);
    push_text(&mut sql, &header.actor);
    let _ = write!(sql, ",X'{}',X'{}'", hex::encode(salt), hex::encode(digest));
    sql
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_log::testing::{append, observing, stream};

    fn reason(request: AppendRequest) -> &'static str {
        match Prepared::new(request, Dialect::Sqlite) {
            Err(AppendError::Invalid { reason }) => reason,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("accepted"),
        }
    }

    #[test]
    fn request_that_makes_no_sense_is_refused() {
        let mut empty = append(&[(stream(1), 0, 1)]);
        empty.streams[0].events.clear();
        assert_eq!(reason(empty), "a stream without events");
        assert_eq!(reason(append(&[])), "a stream without events");
        assert_eq!(reason(append(&[(stream(1), -1, 1)])), "a version that no stream can have");
        assert_eq!(reason(append(&[(stream(1), 0, 1), (stream(1), 1, 1)])), "a stream twice");
        assert_eq!(reason(append(&[(stream(1), 0, 1_001)])), "more than fits one append");
        assert_eq!(
            reason(observing(append(&[(stream(1), 0, 1)]), &[(stream(2), -1)])),
            "a version that no stream can have"
        );
        assert_eq!(reason(observing(append(&[(stream(1), 0, 1)]), &[(stream(1), 0)])), "a stream twice");
        let many: Vec<_> = (2..1_003).map(|id| (stream(id), 0)).collect();
        assert_eq!(reason(observing(append(&[(stream(1), 0, 1)]), &many)), "more than fits one append");
        let mut named = append(&[(stream(1), 0, 1)]);
        named.streams[0].events[0].event_type = "Ärger".into();
        assert_eq!(reason(named), "an event type or version that is no short name");
        let mut acted = append(&[(stream(1), 0, 1)]);
        acted.actor = "x".repeat(129);
        assert_eq!(reason(acted), "an actor that is too long");
        let mut large = append(&[(stream(1), 0, 1)]);
        large.streams[0].events[0].payload = "x".repeat(MAX_PAYLOAD + 1);
        assert_eq!(reason(large), "more than fits one append");
    }

    #[test]
    fn scripts_contain_texts_of_people_in_hexadecimal_only() {
        let mut request = append(&[(stream(1), 4, 1)]);
        request.actor = "a'; DROP TABLE events; --".into();
        request.streams[0].events[0].payload = r#"{"text":"it's"}"#.into();
        request.streams[0].events[0].event_type = "O'Type\\".into();
        let values = &Prepared::new(request, Dialect::Mysql).unwrap().events[0].values.text;
        assert!(!values.contains("DROP") && !values.contains("it's") && !values.contains('\\'), "{values}");
        assert!(values.contains(&hex::encode(r#"{"text":"it's"}"#)));
    }

    #[test]
    fn sequences_follow_the_expected_version() {
        let prepared = Prepared::new(append(&[(stream(1), 4, 2), (stream(2), 0, 1)]), Dialect::Mysql).unwrap();
        let sequences: Vec<_> = prepared.events.iter().map(|event| event.header.sequence).collect();
        assert_eq!(sequences, [5, 6, 1]);
        assert_eq!(prepared.streams[0].after, 6);
    }
}
