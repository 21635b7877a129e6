//! The table of agents' sessions.

use application::ports::{Session, SessionStore, StoreError};
use async_trait::async_trait;
use domain::ids::{AgentId, EntityId, SessionId};
use domain::time::Timestamp;

use crate::database::{Database, DatabaseError, Row, RowError};
use crate::sql_args;

const BEGIN: &str = "INSERT INTO sessions (id, agent_id, refresh_hash, expires_us, ended_us) VALUES (?, ?, ?, ?, NULL)";
const FIND_OPEN: &str = "SELECT * FROM sessions WHERE id = ? AND ended_us IS NULL AND expires_us > ?";
const ROTATE: &str = "UPDATE sessions SET refresh_hash = ?, expires_us = ?
    WHERE id = ? AND refresh_hash = ? AND ended_us IS NULL";
const END: &str = "UPDATE sessions SET ended_us = ? WHERE id = ? AND ended_us IS NULL";
const END_OTHERS: &str = "UPDATE sessions SET ended_us = ? WHERE agent_id = ? AND id <> ? AND ended_us IS NULL";

/// Keeps sessions in the database, beside the log.
#[derive(Clone)]
pub struct SqlSessionStore {
    database: Database,
}

impl SqlSessionStore {
    /// Over a database that has been migrated.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl SessionStore for SqlSessionStore {
    async fn begin(&self, session: &Session) -> Result<(), StoreError> {
        let Session { id, agent_id, refresh_hash, expires_at } = *session;
        let arguments = sql_args![id.uuid(), agent_id.uuid(), refresh_hash, expires_at];
        self.database.execute(BEGIN, arguments).await.map_err(failed)?;
        Ok(())
    }

    async fn find_open(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let row = self.database.fetch_optional(FIND_OPEN, sql_args![id.uuid(), now]).await.map_err(failed)?;
        row.map(|row| read(&row)).transpose().map_err(|error| failed(error.into()))
    }

    async fn rotate(&self, old: &Session, new: &Session) -> Result<bool, StoreError> {
        let arguments = sql_args![new.refresh_hash, new.expires_at, old.id.uuid(), old.refresh_hash];
        Ok(self.database.execute(ROTATE, arguments).await.map_err(failed)? == 1)
    }

    async fn end(&self, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
        self.database.execute(END, sql_args![now, id.uuid()]).await.map_err(failed)?;
        Ok(())
    }

    async fn end_others(&self, agent: AgentId, but: Option<SessionId>, now: Timestamp) -> Result<(), StoreError> {
        let but = but.unwrap_or_default();
        self.database.execute(END_OTHERS, sql_args![now, agent.uuid(), but.uuid()]).await.map_err(failed)?;
        Ok(())
    }
}

fn read(row: &Row) -> Result<Session, RowError> {
    Ok(Session {
        id: SessionId::new(row.uuid("id")?),
        agent_id: AgentId::new(row.uuid("agent_id")?),
        refresh_hash: row.hash("refresh_hash")?,
        expires_at: Timestamp::from_micros(row.int("expires_us")?),
    })
}

fn failed(source: DatabaseError) -> StoreError {
    StoreError { store: "sessions", source: Box::new(source) }
}
