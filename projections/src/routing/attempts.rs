use application::ports::StoreError;
use application::process_managers::router::{AttemptStore, FailedAttempt};
use async_trait::async_trait;
use domain::ids::EntityId;
use infrastructure::database::{Database, DatabaseError, ErrorClass};
use infrastructure::sql_args;

/// How often a statement is run that loses against the router's projector.
const TRIES: u32 = 5;

/// Stores failed attempts with the waiting chats.
#[derive(Clone, Debug)]
pub struct SqlAttemptStore {
    database: Database,
}

impl SqlAttemptStore {
    /// In this database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    async fn save(&self, attempt: &FailedAttempt) -> Result<(), DatabaseError> {
        const SQL: &str = "UPDATE routing_queue SET attempts = ?, next_attempt_us = ?, last_error = ? \
                           WHERE conversation_id = ? AND waiting_since = ?";
        let FailedAttempt { conversation_id, waiting_since, attempts, next_attempt_at, reason } = attempt;
        let args = sql_args![*attempts, *next_attempt_at, reason, conversation_id.uuid(), *waiting_since];
        let mut tries = 1;
        loop {
            match self.database.execute(SQL, args.clone()).await {
                Err(error) if error.class() == ErrorClass::Retryable && tries < TRIES => tries += 1,
                answer => return answer.map(|_| ()),
            }
        }
    }
}

#[async_trait]
impl AttemptStore for SqlAttemptStore {
    async fn save_failure(&self, attempt: &FailedAttempt) -> Result<(), StoreError> {
        let unavailable = |error: DatabaseError| StoreError { store: "routing queue", source: error.into() };
        self.save(attempt).await.map_err(unavailable)
    }
}
