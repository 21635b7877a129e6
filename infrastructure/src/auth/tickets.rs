//! The table of tickets for streams.

use std::collections::HashMap;

use application::ports::{Hash, StoreError, StreamTicket, TicketHolder, TicketStore};
use async_trait::async_trait;
use domain::ids::{AgentId, EntityId as _, SessionId, VisitorId};
use domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Database, DatabaseError, Row, RowError, placeholders};
use crate::sql_args;

const ISSUE: &str = "INSERT INTO stream_tickets (id, agent_id, visitor_id, session_id, use_by_us, ends_us, holder)
    VALUES (?, ?, ?, ?, ?, ?, NULL)";
const TAKE: &str =
    "UPDATE stream_tickets SET holder = ? WHERE id = ? AND ends_us > ? AND (holder IS NOT NULL OR use_by_us > ?)";
const FIND: &str = "SELECT * FROM stream_tickets WHERE id = ?";

/// The most tickets that one statement asks for.
const MOST: usize = 256;

/// Keeps tickets in the database, outside of the log. A ticket that a power cut takes is a dead one: nothing waits for the
/// disk.
#[derive(Clone)]
pub struct SqlTicketStore {
    database: Database,
}

impl SqlTicketStore {
    /// Over a database that has been migrated.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    async fn holders(&self, ids: &[Hash]) -> Result<HashMap<String, Option<Uuid>>, DatabaseError> {
        let size = ids.len().next_power_of_two();
        let sql = format!("SELECT id, holder FROM stream_tickets WHERE id IN ({})", placeholders(size));
        let filled_up = ids.iter().cycle().take(size);
        let rows = self.database.fetch_all(&sql, filled_up.flat_map(|id| sql_args![hex::encode(id)]).collect()).await?;
        let holders = rows.iter().map(|row| Ok::<_, RowError>((row.text("id")?, row.opt_uuid("holder")?)));
        Ok(holders.collect::<Result<_, _>>()?)
    }
}

#[async_trait]
impl TicketStore for SqlTicketStore {
    async fn issue(&self, ticket: &StreamTicket) -> Result<(), StoreError> {
        let (agent, visitor, session) = match ticket.holder {
            TicketHolder::Agent { id, session } => (Some(id.uuid()), None, Some(session.uuid())),
            TicketHolder::Visitor { id } => (None, Some(id.uuid()), None),
        };
        let id = hex::encode(ticket.id);
        let arguments = sql_args![id, agent, visitor, session, ticket.use_by, ticket.ends_at];
        self.database.execute_unflushed(ISSUE, arguments).await.map_err(failed)?;
        Ok(())
    }

    async fn take(&self, id: Hash, connection: Uuid, now: Timestamp) -> Result<Option<StreamTicket>, StoreError> {
        let key = hex::encode(id);
        let arguments = sql_args![connection, &key, now, now];
        if self.database.execute_unflushed(TAKE, arguments).await.map_err(failed)? == 0 {
            return Ok(None);
        }
        let row = self.database.fetch_optional(FIND, sql_args![&key]).await.map_err(failed)?;
        row.map(|row| read(id, &row)).transpose().map_err(failed)
    }

    async fn list_lost(&self, held: &[(Hash, Uuid)]) -> Result<Vec<Uuid>, StoreError> {
        let mut lost = vec![];
        for chunk in held.chunks(MOST) {
            let ids: Vec<_> = chunk.iter().map(|(id, _)| *id).collect();
            let holders = self.holders(&ids).await.map_err(failed)?;
            let is_lost = |id: &Hash, connection: Uuid| {
                holders.get(&hex::encode(id)).is_none_or(|holder| *holder != Some(connection))
            };
            lost.extend(chunk.iter().filter(|(id, connection)| is_lost(id, *connection)).map(|(_, one)| *one));
        }
        Ok(lost)
    }
}

fn read(id: Hash, row: &Row) -> Result<StreamTicket, RowError> {
    let agent = row.opt_uuid("agent_id")?;
    let holder = match agent {
        Some(agent) => {
            TicketHolder::Agent { id: AgentId::new(agent), session: SessionId::new(row.uuid("session_id")?) }
        }
        None => TicketHolder::Visitor { id: VisitorId::new(row.uuid("visitor_id")?) },
    };
    let time = |column| Ok::<_, RowError>(Timestamp::from_micros(row.int(column)?));
    Ok(StreamTicket { id, holder, use_by: time("use_by_us")?, ends_at: time("ends_us")? })
}

fn failed(source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError { store: "stream tickets", source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fresh_databases;

    const ONE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + seconds * 1_000_000)
    }

    fn ticket(number: u8, holder: TicketHolder) -> StreamTicket {
        StreamTicket { id: [number; 32], holder, use_by: at(30), ends_at: at(3_600) }
    }

    #[tokio::test]
    async fn ticket_is_first_used_in_time_and_has_one_connection_at_a_time() {
        for fresh in fresh_databases().await {
            let store = SqlTicketStore::new(fresh.database.clone());
            let agent = TicketHolder::Agent { id: AgentId::new(Uuid::from_u128(7)), session: SessionId::new(ONE) };
            let (used, late) = (ticket(1, agent), ticket(2, TicketHolder::Visitor { id: VisitorId::new(OTHER) }));
            store.issue(&used).await.unwrap();
            store.issue(&late).await.unwrap();
            assert_eq!(store.take([9; 32], ONE, at(0)).await.unwrap(), None);
            assert_eq!(store.take(late.id, ONE, at(30)).await.unwrap(), None, "the first use comes too late");
            assert_eq!(store.take(used.id, ONE, at(29)).await.unwrap(), Some(used));
            assert_eq!(store.list_lost(&[(used.id, ONE)]).await.unwrap(), [] as [Uuid; 0]);
            assert_eq!(store.take(used.id, OTHER, at(3_599)).await.unwrap(), Some(used));
            assert_eq!(store.list_lost(&[(used.id, ONE), (used.id, OTHER), ([9; 32], ONE)]).await.unwrap(), [ONE, ONE]);
            assert_eq!(store.take(used.id, OTHER, at(3_600)).await.unwrap(), None, "it has ended");
        }
    }
}
