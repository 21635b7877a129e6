//! The table of agents' sessions.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{Session, SessionStore, StoreError};
use async_trait::async_trait;
use domain::ids::{AgentId, EntityId, SessionId};
use domain::time::Timestamp;
use tokio::time::timeout;

use crate::batching::{Batching, MOST};
use crate::database::{Database, DatabaseError, Row, RowError, placeholders};
use crate::sql_args;

const BEGIN: &str = "INSERT INTO sessions (id, agent_id, refresh_hash, expires_us, ended_us) VALUES (?, ?, ?, ?, NULL)";
const ROTATE: &str = "UPDATE sessions SET refresh_hash = ?, expires_us = ?
    WHERE id = ? AND refresh_hash = ? AND ended_us IS NULL";
const END: &str = "UPDATE sessions SET ended_us = ? WHERE id = ? AND ended_us IS NULL";
const END_OTHERS: &str = "UPDATE sessions SET ended_us = ? WHERE agent_id = ? AND id <> ? AND ended_us IS NULL";

/// Keeps sessions in the database, outside of the log.
#[derive(Clone)]
pub struct SqlSessionStore {
    database: Database,
    /// Every request of an agent asks for its session.
    lookups: Batching<SessionId, Found>,
}

/// How long the database may take to find sessions.
const FOUND_WITHIN: Duration = Duration::from_secs(5);

/// A session that has not ended, but may have expired.
type Found = Result<Option<Session>, Arc<DatabaseError>>;

/// Looking them up has panicked; the cause is in the program's log.
#[derive(Debug, thiserror::Error)]
#[error("the session could not be looked up")]
struct NotLookedUp;

impl SqlSessionStore {
    /// Over a database that has been migrated. Starts the task that looks sessions up.
    #[must_use]
    pub fn new(database: Database) -> Self {
        let own = database.clone();
        let lookups = Batching::start(move |ids| {
            let database = own.clone();
            async move { find_all(&database, &ids).await }
        });
        Self { database, lookups }
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
        let found = self.lookups.ask(id).await.ok_or_else(|| failed(NotLookedUp))?.map_err(failed)?;
        Ok(found.filter(|session| session.expires_at > now))
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

/// The sessions with these ids, in their order.
async fn find_all(database: &Database, ids: &[SessionId]) -> Vec<Found> {
    let finding = timeout(FOUND_WITHIN, find_open(database, ids));
    match finding.await.unwrap_or(Err(DatabaseError::NoAnswer)).map_err(Arc::new) {
        Ok(found) => ids.iter().map(|id| Ok(found.get(id).copied())).collect(),
        Err(error) => vec![Err(error); ids.len()],
    }
}

/// Every statement has a power of two of ids, so that there are few of them.
async fn find_open(database: &Database, ids: &[SessionId]) -> Result<HashMap<SessionId, Session>, DatabaseError> {
    let size = ids.len().next_power_of_two().min(MOST);
    let sql = format!("SELECT * FROM sessions WHERE id IN ({}) AND ended_us IS NULL", placeholders(size));
    let filled_up = ids.iter().cycle().take(size);
    let rows = database.fetch_all(&sql, filled_up.flat_map(|id| sql_args![id.uuid()]).collect()).await?;
    let sessions = rows.iter().map(|row| read(row).map(|session| (session.id, session)));
    Ok(sessions.collect::<Result<_, _>>()?)
}

fn read(row: &Row) -> Result<Session, RowError> {
    Ok(Session {
        id: SessionId::new(row.uuid("id")?),
        agent_id: AgentId::new(row.uuid("agent_id")?),
        refresh_hash: row.hash("refresh_hash")?,
        expires_at: Timestamp::from_micros(row.int("expires_us")?),
    })
}

fn failed(source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError { store: "sessions", source: Box::new(source) }
}
