//! The first answers to requests that may come again.

use application::ports::{Clock, Hash};
use domain::ids::{CommandId, EntityId};
use std::sync::Arc;

use crate::database::{Database, DatabaseError};
use crate::sql_args;

const FIND: &str = "SELECT request_digest, status, body FROM idempotent_responses WHERE command_id = ?";
const SAVE: &str = "REPLACE INTO idempotent_responses (command_id, request_digest, status, body, created_us)
    VALUES (?, ?, ?, ?, ?)";

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
        let status = u16::try_from(row.int("status")?).unwrap_or(u16::MAX);
        Ok(Some(StoredResponse { request_digest: row.hash("request_digest")?, status, body: row.text("body")? }))
    }

    /// Keeps the answer to this command.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn save(&self, command_id: CommandId, response: &StoredResponse) -> Result<(), DatabaseError> {
        let StoredResponse { request_digest, status, body } = response;
        let now = self.clock.now().as_micros();
        let arguments = sql_args![command_id.uuid(), *request_digest, i64::from(*status), body.as_str(), now];
        self.database.execute(SAVE, arguments).await?;
        Ok(())
    }
}
