//! Whether the database takes writes: it may be full, or read-only after a failover, and answer every read all the same.

use std::time::Duration;

use application::ports::Clock;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::database::{Database, DatabaseError, MigrateError};
use crate::sql_args;

/// How long an outcome is repeated, so that frequent checks do not make the database write.
const HOLDS_FOR: Duration = Duration::from_secs(5);

/// A database that needs longer does not work.
const PATIENCE: Duration = Duration::from_secs(2);

/// The lease that nobody takes: its row is what is written.
const NAME: &str = "write_probe";

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// It does not take writes.
    #[error("does not take writes")]
    Write(#[from] DatabaseError),
    /// Its schema is not this program's.
    #[error(transparent)]
    Schema(#[from] MigrateError),
    /// Its schema lacks something.
    #[error("the schema lacks {}", missing.join(", "))]
    Outdated {
        /// The names of the missing steps.
        missing: Vec<&'static str>,
    },
}

impl ProbeError {
    fn reason(&self) -> String {
        match self {
            Self::Write(error) => format!("{self}: {}", error.reason()),
            Self::Schema(MigrateError::Database(error)) => error.reason(),
            Self::Schema(_) | Self::Outdated { .. } => self.to_string(),
        }
    }
}

/// Tries the database from time to time.
#[derive(Debug)]
pub struct WriteProbe {
    database: Database,
    last: Mutex<Option<(Instant, Option<String>)>>,
}

impl WriteProbe {
    /// Of this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database, last: Mutex::new(None) }
    }

    /// Whether another database is at the address than the one that is open, so that only a restart helps.
    #[must_use]
    pub fn was_exchanged(&self) -> bool {
        self.database.was_exchanged()
    }

    /// What is wrong with the database, if anything is, as it was at most five seconds ago.
    pub async fn find_fault(&self, clock: &dyn Clock) -> Option<String> {
        let mut last = self.last.lock().await;
        if let Some((at, fault)) = &*last
            && at.elapsed() < HOLDS_FOR
        {
            return fault.clone();
        }
        let tried = timeout(PATIENCE, self.look(clock)).await;
        let fault = tried.unwrap_or(Err(DatabaseError::NoAnswer.into())).err();
        if let Some(error) = &fault {
            tracing::warn!(error = error as &dyn std::error::Error, "the database cannot be used");
        }
        // Everybody may read it: without names of users and machines, which are in the log.
        let fault = fault.map(|error| error.reason());
        *last = Some((Instant::now(), fault.clone()));
        fault
    }

    async fn look(&self, clock: &dyn Clock) -> Result<(), ProbeError> {
        const WRITE: &str = "UPDATE leases SET expires_us = ? WHERE name = ?";
        let missing = self.database.pending_migrations().await?;
        if !missing.is_empty() {
            return Err(ProbeError::Outdated { missing });
        }
        let now = clock.now();
        if self.database.execute_unflushed(WRITE, sql_args![now, NAME]).await? == 0 {
            let insert_new = self.database.dialect().insert_new();
            let insert = format!("{insert_new} INTO leases (name, owner, expires_us) VALUES (?, '', ?)");
            self.database.execute_unflushed(&insert, sql_args![NAME, now]).await?;
        }
        Ok(())
    }
}
