//! An unmodified repository of mysql-es over our table.

use application::ports::{EventLog, ReadError};
use cqrs_es::persist::{PersistedEventRepository, PersistenceError, SerializedEvent};
use domain::tag::Tag;
use mysql_es::{MysqlEventRepository, default_mysql_pool};
use serde_json::json;
use uuid::Uuid;

use crate::database::Dialect;
use crate::event_log::testing::{append, start, stream};
use crate::event_log::verify_chain;
use crate::testing::fresh_databases;

async fn write(repository: &MysqlEventRepository, sequence: usize) -> Result<(), PersistenceError> {
    let id = Uuid::from_u128(1).to_string();
    let payload = json!({"type": "TagDeleted", "at": "2024-01-02T03:04:05.000006Z"});
    let event = SerializedEvent::new(id, sequence, "tag".into(), "TagDeleted".into(), "1.0".into(), payload, json!({}));
    repository.persist::<Tag>(&[event], None).await
}

#[tokio::test]
async fn unmodified_reader_reads_and_unmodified_writer_fails() {
    for fresh in fresh_databases().await {
        if fresh.database.dialect() == Dialect::Sqlite {
            continue;
        }
        let repository = MysqlEventRepository::new(default_mysql_pool(&fresh.url).await);
        let log = start(&fresh.database).await;
        log.append(append(&[(stream(1), 0, 2)])).await.unwrap();
        let events = repository.get_events::<Tag>(&Uuid::from_u128(1).to_string()).await.unwrap();
        assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(events[0].aggregate_id, Uuid::from_u128(1).to_string());
        assert_eq!(events[0].payload["type"], "TagDeleted");

        write(&repository, 3).await.expect_err("a writer that does not know positions must fail");
        assert_eq!(log.read_stream(stream(1), 0).await.unwrap().len(), 2);
        assert_eq!(verify_chain(&fresh.database, |_| {}).await.unwrap().position, 2);
    }
}

#[tokio::test]
async fn closed_database_is_an_error_and_no_panic() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        fresh.database.close().await;
        assert!(matches!(log.read_stream(stream(1), 0).await, Err(ReadError::Unavailable { .. })));
        assert!(matches!(log.head().await, Err(ReadError::Unavailable { .. })));
    }
}
