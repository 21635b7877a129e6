use async_trait::async_trait;

use super::{COPY, Exchange, Holder};
use crate::database::{Database, DatabaseError, ReadSnapshot, Session, Transaction};

/// How long a statement that changes tables waits for the transactions that use them, in seconds. Meanwhile others wait for it.
const LOCK_WAIT: &str = "SET SESSION lock_wait_timeout = 3";

/// MySQL commits each change of a table by itself, and lets several transactions write at a time.
pub(super) struct MysqlExchange;

#[async_trait]
impl Exchange for MysqlExchange {
    fn writes_in_parallel(&self) -> bool {
        true
    }

    /// On another connection, while the transaction keeps the right where it is.
    async fn create(&self, database: &Database, tables: &[String], holder: &dyn Holder) -> Result<bool, DatabaseError> {
        let Some(held) = holder.begin().await? else { return Ok(false) };
        let mut session = ddl_session(database).await?;
        for table in tables {
            session.run(&format!("CREATE TABLE {table}{COPY} LIKE {table}")).await?;
        }
        session.close().await;
        held.commit().await?;
        Ok(true)
    }

    async fn drop_tables(
        &self,
        database: &Database,
        tables: &[String],
        holder: &dyn Holder,
    ) -> Result<bool, DatabaseError> {
        let Some(held) = holder.begin().await? else { return Ok(false) };
        if !tables.is_empty() {
            let mut session = ddl_session(database).await?;
            session.run(&format!("DROP TABLE IF EXISTS {}", tables.join(", "))).await?;
            session.close().await;
        }
        held.commit().await?;
        Ok(true)
    }

    /// Committed at once, on another connection.
    async fn replace(
        &self,
        database: &Database,
        _: &mut Transaction,
        renamed: &[(String, String)],
    ) -> Result<(), DatabaseError> {
        let steps: Vec<_> = renamed.iter().map(|(from, to)| format!("{from} TO {to}")).collect();
        let mut session = ddl_session(database).await?;
        session.run(&format!("RENAME TABLE {}", steps.join(", "))).await?;
        session.close().await;
        Ok(())
    }

    /// Taken while the transaction still keeps everything in its place.
    async fn snapshot(&self, database: &Database, held: Transaction) -> Result<Option<ReadSnapshot>, DatabaseError> {
        let snapshot = database.snapshot().await?;
        held.commit().await?;
        Ok(Some(snapshot))
    }

    fn all_tables(&self) -> &'static str {
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()"
    }
}

async fn ddl_session(database: &Database) -> Result<Session, DatabaseError> {
    let mut session = database.log_session().await?;
    session.run(LOCK_WAIT).await?;
    Ok(session)
}
