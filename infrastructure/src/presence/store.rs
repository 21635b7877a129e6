use application::ports::{EndedLease, PresenceStore, StoreError};
use async_trait::async_trait;
use domain::ids::{AgentId, EntityId, SessionId};
use domain::time::Timestamp;

use crate::database::{Database, DatabaseError, ErrorClass, Row, RowError};
use crate::sql_args;

const RENEW: &str = "UPDATE presence_leases SET expires_us = ? WHERE session_id = ? AND agent_id = ?";
const BEGIN: &str = "INSERT INTO presence_leases (session_id, agent_id, expires_us) VALUES (?, ?, ?)";
const LIST_ENDED: &str =
    "SELECT agent_id, MAX(expires_us) AS ended_us FROM presence_leases WHERE expires_us <= ? GROUP BY agent_id";
const SHORTEN: &str = "UPDATE presence_leases SET expires_us = ? WHERE expires_us > ?";
const LASTS: &str = "SELECT agent_id FROM presence_leases WHERE agent_id = ? AND expires_us > ? LIMIT 1";
const FORGET: &str = "DELETE FROM presence_leases WHERE agent_id = ? AND expires_us <= ?";

/// Keeps leases in the database, outside of the log.
#[derive(Clone)]
pub struct SqlPresenceStore {
    database: Database,
}

impl SqlPresenceStore {
    /// Over a database that has been migrated.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    async fn write(&self, agent: AgentId, session: SessionId, until: Timestamp) -> Result<(), DatabaseError> {
        let renewal = sql_args![until, session.uuid(), agent.uuid()];
        if self.database.execute_unflushed(RENEW, renewal.clone()).await? > 0 {
            return Ok(());
        }
        match self.database.execute_unflushed(BEGIN, sql_args![session.uuid(), agent.uuid(), until]).await {
            // Two heartbeats of a new session at once.
            Err(error) if error.class() == ErrorClass::DuplicateKey => {
                self.database.execute_unflushed(RENEW, renewal).await.map(|_| ())
            }
            written => written.map(|_| ()),
        }
    }

    async fn ended(&self, by: Timestamp) -> Result<Vec<EndedLease>, DatabaseError> {
        let rows = self.database.fetch_all(LIST_ENDED, sql_args![by]).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }
}

#[async_trait]
impl PresenceStore for SqlPresenceStore {
    async fn keep(&self, agent: AgentId, session: SessionId, until: Timestamp) -> Result<(), StoreError> {
        self.write(agent, session, until).await.map_err(failed)
    }

    async fn list_ended(&self, by: Timestamp) -> Result<Vec<EndedLease>, StoreError> {
        self.ended(by).await.map_err(failed)
    }

    async fn shorten(&self, until: Timestamp) -> Result<(), StoreError> {
        self.database.execute(SHORTEN, sql_args![until, until]).await.map_err(failed)?;
        Ok(())
    }

    async fn lasts(&self, agent: AgentId, until: Timestamp) -> Result<bool, StoreError> {
        let found = self.database.fetch_optional(LASTS, sql_args![agent.uuid(), until]).await;
        Ok(found.map_err(failed)?.is_some())
    }

    async fn forget_ended(&self, agent: AgentId, by: Timestamp) -> Result<(), StoreError> {
        self.database.execute(FORGET, sql_args![agent.uuid(), by]).await.map_err(failed)?;
        Ok(())
    }
}

fn read(row: &Row) -> Result<EndedLease, RowError> {
    let ended_at = Timestamp::from_micros(row.int("ended_us")?);
    Ok(EndedLease { agent_id: AgentId::from_uuid(row.uuid("agent_id")?), ended_at })
}

fn failed(source: DatabaseError) -> StoreError {
    StoreError { store: "presence leases", source: Box::new(source) }
}
