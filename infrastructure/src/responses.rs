//! The first answers to requests that may come again.

use application::ports::{Clock, Hash, Position};
use domain::ids::{CommandId, EntityId};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use crate::database::{Database, DatabaseError, RowError, SqlValue, placeholders};
use crate::sql_args;

const FIND: &str = "SELECT request_digest, status, body FROM idempotent_responses WHERE command_id = ?";
/// Only while the log has what is answered: the database may have been set back since.
const SAVE: &str = "REPLACE INTO idempotent_responses (command_id, request_digest, status, body, created_us)
    SELECT ?, ?, ?, ?, ? FROM log_head WHERE id = 1 AND position >= ?";

/// How many answers are looked at in one statement: others want to write, too.
const CHUNK: usize = 500;

/// Removes the answers that name one of these, wherever in their JSON, or are to a command with such an id. Returns their
/// number.
///
/// The table holds a day of answers and is walked as a whole: no index says what is in them.
pub(crate) async fn forget_answers(database: &Database, ids: &BTreeSet<Uuid>) -> Result<u64, DatabaseError> {
    let walk = format!(
        "SELECT command_id, body FROM idempotent_responses WHERE command_id > ? ORDER BY command_id LIMIT {CHUNK}"
    );
    let (mut forgotten, mut after) = (0, String::new());
    loop {
        let rows = database.fetch_all(&walk, sql_args![&after]).await?;
        let Some(last) = rows.last() else { return Ok(forgotten) };
        after = last.text("command_id")?;
        let mut found = vec![];
        for row in &rows {
            let command_id = row.text("command_id")?;
            if names_one(&row.text("body")?, ids) || command_id.parse().is_ok_and(|id: Uuid| ids.contains(&id)) {
                found.push(SqlValue::from(command_id));
            }
        }
        if !found.is_empty() {
            let sql = format!("DELETE FROM idempotent_responses WHERE command_id IN ({})", placeholders(found.len()));
            forgotten += database.execute(&sql, found).await?;
        }
    }
}

fn names_one(body: &str, ids: &BTreeSet<Uuid>) -> bool {
    body.split('"').filter(|part| part.len() == 36).any(|part| part.parse().is_ok_and(|id: Uuid| ids.contains(&id)))
}

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// SHA-256 of the request it answered.
    pub request_digest: Hash,
    /// The HTTP status code.
    pub status: u16,
    /// The JSON body.
    pub body: String,
}

/// Keeps first answers.
#[derive(Clone)]
pub struct SqlResponseStore {
    database: Database,
    clock: Arc<dyn Clock>,
}

impl SqlResponseStore {
    /// A store in this database.
    #[must_use]
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock }
    }

    /// The first answer to this command.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn find(&self, command_id: CommandId) -> Result<Option<StoredResponse>, DatabaseError> {
        let Some(row) = self.database.fetch_optional(FIND, sql_args![command_id.uuid()]).await? else {
            return Ok(None);
        };
        let number = row.int("status")?;
        let status = u16::try_from(number).ok().filter(|status| (100..1_000).contains(status));
        let status = status.ok_or_else(|| RowError::Type {
            column: "status".to_owned(),
            found: format!("number {number}"),
            expected: "an HTTP status code",
        })?;
        Ok(Some(StoredResponse { request_digest: row.hash("request_digest")?, status, body: row.text("body")? }))
    }

    /// Keeps the answer to this command, whose last event is at a position.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn save(
        &self,
        command_id: CommandId,
        response: &StoredResponse,
        position: Option<Position>,
    ) -> Result<(), DatabaseError> {
        let StoredResponse { request_digest, status, body } = response;
        let (now, at) = (self.clock.now().as_micros(), position.unwrap_or(0));
        let arguments = sql_args![command_id.uuid(), *request_digest, i64::from(*status), body.as_str(), now, at];
        self.database.execute(SAVE, arguments).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemClock;
    use crate::testing::fresh_sqlite;

    #[tokio::test]
    async fn status_that_is_none_is_an_error_and_no_success() {
        let fresh = fresh_sqlite().await;
        let store = SqlResponseStore::new(fresh.database.clone(), Arc::new(SystemClock));
        let (id, body) = (CommandId::default(), "{}".to_owned());
        store.save(id, &StoredResponse { request_digest: [1; 32], status: 201, body }, None).await.unwrap();
        assert_eq!(store.find(id).await.unwrap().map(|found| found.status), Some(201));
        for status in ["0", "1000", "70000", "-1"] {
            let change = format!("UPDATE idempotent_responses SET status = {status}");
            fresh.database.execute(&change, vec![]).await.unwrap();
            assert!(matches!(store.find(id).await, Err(DatabaseError::Row(_))), "{status}");
        }
    }
}
