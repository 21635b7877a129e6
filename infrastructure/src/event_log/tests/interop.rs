//! What unmodified repositories of mysql-es and sqlite-es make of our table.

use application::ports::{EventLog, ReadError};
use cqrs_es::persist::{PersistedEventRepository, PersistenceError, SerializedEvent};
use domain::tag::Tag;
use mysql_es::{MysqlEventRepository, default_mysql_pool};
use serde_json::json;
use sqlite_es::SqliteEventRepository;
use sqlx::SqlitePool;
use uuid::Uuid;

use crate::database::Dialect;
use crate::event_log::testing::{append, start, stream};
use crate::event_log::verify_chain;
use crate::testing::{Fresh, fresh_databases};

async fn read<R: PersistedEventRepository>(repository: &R) -> Vec<SerializedEvent> {
    repository.get_events::<Tag>(&Uuid::from_u128(1).to_string()).await.unwrap()
}

async fn write<R: PersistedEventRepository>(repository: &R, sequence: usize) -> Result<(), PersistenceError> {
    let id = Uuid::from_u128(1).to_string();
    let payload = json!({"type": "TagDeleted", "at": "2024-01-02T03:04:05.000006Z"});
    let event = SerializedEvent::new(id, sequence, "tag".into(), "TagDeleted".into(), "1.0".into(), payload, json!({}));
    repository.persist::<Tag>(&[event], None).await
}

async fn check<R: PersistedEventRepository>(fresh: &Fresh, repository: R) {
    let log = start(&fresh.database).await;
    log.append(append(&[(stream(1), 0, 2)])).await.unwrap();
    let events = read(&repository).await;
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(events[0].aggregate_id, Uuid::from_u128(1).to_string());
    assert_eq!(events[0].payload["type"], "TagDeleted");

    write(&repository, 3).await.expect_err("a writer that knows nothing of positions must fail");
    assert_eq!(log.read_stream(stream(1), 0).await.unwrap().len(), 2);
    assert_eq!(verify_chain(&fresh.database, |_| {}).await.unwrap().position, 2);
}

#[tokio::test]
async fn unmodified_reader_reads_and_unmodified_writer_fails() {
    for fresh in fresh_databases().await {
        match fresh.database.dialect() {
            Dialect::Mysql => check(&fresh, MysqlEventRepository::new(default_mysql_pool(&fresh.url).await)).await,
            Dialect::Sqlite => {
                check(&fresh, SqliteEventRepository::new(SqlitePool::connect(&fresh.url).await.unwrap())).await;
            }
        }
    }
}

#[tokio::test]
async fn database_that_is_gone_is_an_error_and_no_panic() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        fresh.database.close().await;
        assert!(matches!(log.read_stream(stream(1), 0).await, Err(ReadError::Unavailable { .. })));
        assert!(matches!(log.head().await, Err(ReadError::Unavailable { .. })));
    }
}
