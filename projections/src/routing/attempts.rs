use std::sync::Arc;
use std::time::Duration;

use application::backoff::Backoff;
use application::ports::{Clock, Ids, StoreError};
use application::process_managers::router::{AttemptStore, FailedAttempt};
use async_trait::async_trait;
use domain::ids::EntityId;
use infrastructure::database::{Database, DatabaseError, ErrorClass};
use infrastructure::sql_args;

/// How often a statement is run that loses against the router's projector, and the pauses before it is run again.
const TRIES: u32 = 5;
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(4), longest: Duration::from_millis(64), jitter: 1.0 };

/// Stores failed attempts with the waiting chats.
#[derive(Clone)]
pub struct SqlAttemptStore {
    database: Database,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl SqlAttemptStore {
    /// Stores them in this database. The clock and the ids serve the pauses after a lost transaction.
    #[must_use]
    pub const fn new(database: Database, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self { database, clock, ids }
    }

    async fn save(&self, attempt: &FailedAttempt) -> Result<(), DatabaseError> {
        const SQL: &str = "UPDATE routing_queue SET attempts = ?, next_attempt_us = ?, last_error = ? \
                           WHERE conversation_id = ? AND waiting_since = ?";
        let FailedAttempt { conversation_id, waiting_since, attempts, next_attempt_at, reason } = attempt;
        let args = sql_args![*attempts, *next_attempt_at, reason, conversation_id.uuid(), *waiting_since];
        for failures in 1..TRIES {
            match self.database.execute(SQL, args.clone()).await {
                Err(error) if error.class() == ErrorClass::Retryable => {
                    BACKOFF.wait(failures, &*self.clock, &*self.ids).await;
                }
                answer => return answer.map(drop),
            }
        }
        self.database.execute(SQL, args).await.map(drop)
    }
}

#[async_trait]
impl AttemptStore for SqlAttemptStore {
    async fn save_failure(&self, attempt: &FailedAttempt) -> Result<(), StoreError> {
        let unavailable = |error: DatabaseError| StoreError { store: "routing queue", source: error.into() };
        self.save(attempt).await.map_err(unavailable)
    }
}
