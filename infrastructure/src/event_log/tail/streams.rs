//! Reads single streams: on MySQL through the unmodified repository of mysql-es.

use application::ports::{ReadError, Sequence, StreamEvent, StreamId};
use cqrs_es::Aggregate;
use cqrs_es::persist::{PersistedEventRepository, PersistenceError, SerializedEvent};
use domain::agent::{Agent, EmailClaim};
use domain::aggregate::AggregateType;
use domain::conversation::Conversation;
use domain::event::{Upcasters, upcast};
use domain::group::Group;
use domain::tag::{Tag, TagNameClaim};
use domain::thread::Thread;
use domain::visitor::Visitor;
use domain::workspace::Workspace;
use mysql_es::MysqlEventRepository;

use super::reader::unavailable;
use crate::database::{Database, DatabaseError, Row};
use crate::sql_args;

/// The repository writes the sequence into its statement's text; asking only for multiples of this keeps a
/// connection's cache of prepared statements useful.
const STEP: Sequence = 64;

const SELECT: &str = "SELECT sequence, event_type, event_version, payload FROM events \
                      WHERE aggregate_type = ? AND aggregate_id = ? AND sequence > ? ORDER BY sequence LIMIT ?";

/// The reader of streams of this database.
pub(crate) struct Streams {
    database: Database,
    /// The reader of mysql-es, where the database is a server.
    repository: Option<MysqlEventRepository>,
}

impl Streams {
    pub(crate) fn new(database: &Database) -> Self {
        let repository = database.mysql_pool().map(|pool| MysqlEventRepository::new(pool.clone()));
        Self { database: database.clone(), repository }
    }

    /// The events of a stream after `after`, upcast, in order.
    pub(crate) async fn read(
        &self,
        stream: StreamId,
        after: Sequence,
        upcasters: &Upcasters,
    ) -> Result<Vec<StreamEvent>, ReadError> {
        let Some(repository) = &self.repository else { return self.page(stream, (after, usize::MAX), upcasters).await };
        let stored = stored(repository, stream, after).await.map_err(read_error)?;
        let events = stored.into_iter().map(|event| stream_event(event, upcasters));
        Ok(events.filter(|event| event.sequence > after).collect())
    }

    /// The first of these events.
    pub(crate) async fn page(
        &self,
        stream: StreamId,
        (after, limit): (Sequence, usize),
        upcasters: &Upcasters,
    ) -> Result<Vec<StreamEvent>, ReadError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let args = sql_args![stream.kind.as_str(), stream.id, after, limit];
        let rows = self.database.fetch_all(SELECT, args).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(stream_event(serialized(row, stream)?, upcasters))).collect()
    }
}

fn serialized(row: &Row, stream: StreamId) -> Result<SerializedEvent, ReadError> {
    let broken = |error| unavailable(DatabaseError::Row(error));
    let payload = serde_json::from_str(row.str("payload").map_err(broken)?)
        .map_err(|error| ReadError::Undecodable { position: 0, source: Box::new(error) })?;
    Ok(SerializedEvent {
        aggregate_id: stream.id.to_string(),
        sequence: usize::try_from(row.int("sequence").map_err(broken)?).unwrap_or_default(),
        aggregate_type: stream.kind.as_str().to_owned(),
        event_type: row.text("event_type").map_err(broken)?,
        event_version: row.text("event_version").map_err(broken)?,
        payload,
        metadata: serde_json::Value::Object(serde_json::Map::new()),
    })
}

fn stream_event(event: SerializedEvent, upcasters: &Upcasters) -> StreamEvent {
    let sequence = Sequence::try_from(event.sequence).unwrap_or(Sequence::MAX);
    StreamEvent { sequence, payload: upcast(event, upcasters).payload }
}

async fn stored<R: PersistedEventRepository>(
    repository: &R,
    stream: StreamId,
    after: Sequence,
) -> Result<Vec<SerializedEvent>, PersistenceError> {
    let id = stream.id.to_string();
    match stream.kind {
        AggregateType::Conversation => of::<Conversation, R>(repository, &id, after).await,
        AggregateType::Thread => of::<Thread, R>(repository, &id, after).await,
        AggregateType::Agent => of::<Agent, R>(repository, &id, after).await,
        AggregateType::Visitor => of::<Visitor, R>(repository, &id, after).await,
        AggregateType::Group => of::<Group, R>(repository, &id, after).await,
        AggregateType::Tag => of::<Tag, R>(repository, &id, after).await,
        AggregateType::EmailClaim => of::<EmailClaim, R>(repository, &id, after).await,
        AggregateType::TagNameClaim => of::<TagNameClaim, R>(repository, &id, after).await,
        AggregateType::Workspace => of::<Workspace, R>(repository, &id, after).await,
    }
}

async fn of<A: Aggregate, R: PersistedEventRepository>(
    repository: &R,
    id: &str,
    after: Sequence,
) -> Result<Vec<SerializedEvent>, PersistenceError> {
    if after < STEP {
        return repository.get_events::<A>(id).await;
    }
    let from = usize::try_from(after - after % STEP).unwrap_or(usize::MAX);
    repository.get_last_events::<A>(id, from).await
}

fn read_error(error: PersistenceError) -> ReadError {
    let source = Box::new(error);
    match *source {
        PersistenceError::DeserializationError(_) => ReadError::Undecodable { position: 0, source },
        PersistenceError::OptimisticLockError
        | PersistenceError::ConnectionError(_)
        | PersistenceError::UnknownError(_) => ReadError::Unavailable { source },
    }
}
