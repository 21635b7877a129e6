//! Reads single streams, through the unmodified repositories of mysql-es and sqlite-es.

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
use sqlite_es::SqliteEventRepository;

use crate::database::{Database, Pool};

/// The repository writes the sequence into its statement's text; asking only for multiples of this keeps a
/// connection's cache of prepared statements useful.
const STEP: Sequence = 64;

/// The repository of this database.
pub(crate) enum Streams {
    Mysql(MysqlEventRepository),
    Sqlite(SqliteEventRepository),
}

impl Streams {
    pub(crate) fn new(database: &Database) -> Self {
        match database.pool() {
            Pool::Mysql(pool) => Self::Mysql(MysqlEventRepository::new(pool.clone())),
            Pool::Sqlite(pool) => Self::Sqlite(SqliteEventRepository::new(pool.clone())),
        }
    }

    /// The events of a stream after `after`, upcast, in order.
    pub(crate) async fn read(
        &self,
        stream: StreamId,
        after: Sequence,
        upcasters: &Upcasters,
    ) -> Result<Vec<StreamEvent>, ReadError> {
        let stored = match self {
            Self::Mysql(repository) => stored(repository, stream, after).await,
            Self::Sqlite(repository) => stored(repository, stream, after).await,
        };
        let events = stored.map_err(read_error)?.into_iter().map(|event| stream_event(event, upcasters));
        Ok(events.filter(|event| event.sequence > after).collect())
    }
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
