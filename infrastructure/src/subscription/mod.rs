//! Projectors that follow the log: exactly once in effect, on one node at a time.

mod checkpoint;
mod follow;
mod handle;
mod hold;
mod lead;
mod runner;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, EventLog, Ids, LogEvent, Position};
use async_trait::async_trait;
use domain::event::AnyEvent;

pub use checkpoint::Checkpoint;
pub use handle::{RunnerHandle, RunnerStatus, StopReason};
pub use hold::{Hold, ProjectorId, Standing, find_outdated};

/// A node whose read models are more events behind is not ready.
pub const MOST_BEHIND: Position = 10_000;

use crate::database::{Database, DatabaseError, RowError, Transaction};

/// Folds events into tables of its own.
#[async_trait]
pub trait Projector: Send + Sync + 'static {
    /// Its name; together with the version it names the checkpoint.
    fn name(&self) -> &'static str;

    /// The version of what it writes. A higher one than that of the checkpoint takes the tables over as they are, marks
    /// them as outdated and goes on; rebuilt ones replace them later. So a new version must bear the rows of the one
    /// before, and queries must bear them too.
    fn version(&self) -> i64;

    /// The tables that it writes, and nobody else.
    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    /// How long events may gather before they are projected together, while nobody on this node waits for them. A
    /// transaction costs much the same however few events it is about.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether an event matters to it.
    fn handles(&self, event: &AnyEvent) -> bool;

    /// Writes what the events mean. They are in the log's order, all of them matter, and the checkpoint is moved in the
    /// same transaction.
    ///
    /// # Errors
    /// See [`ProjectError`].
    async fn project(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), ProjectError>;

    /// Makes what it keeps in memory agree with its tables, which stand at the stored checkpoint. Called when this node
    /// begins to run it, and whenever a transaction was rolled back.
    ///
    /// # Errors
    /// See [`ProjectError`].
    async fn load(&self, _database: &Database) -> Result<(), ProjectError> {
        Ok(())
    }

    /// What it wrote last is committed.
    fn committed(&self) {}

    /// This node does not run it any more.
    fn released(&self) {}
}

/// Why events could not be projected.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// An event that the projector cannot make sense of: trying again would not help.
    #[error("event at position {position} cannot be projected")]
    Poison {
        /// Where it is.
        position: Position,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A statement failed. What is not transient counts as poison.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<RowError> for ProjectError {
    fn from(error: RowError) -> Self {
        Self::Database(error.into())
    }
}

/// Starts projectors.
#[derive(Clone)]
pub struct Subscriptions {
    database: Database,
    log: Arc<dyn EventLog>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    owner: Arc<str>,
}

impl Subscriptions {
    /// For a node that is to appear as one owner of leases.
    #[must_use]
    pub fn new(database: Database, log: Arc<dyn EventLog>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        let owner = ids.new_uuid().to_string().into();
        Self { database, log, clock, ids, owner }
    }

    /// Runs a projector in a task of its own, until it is shut down or stops for a reason.
    pub fn start(&self, projector: Arc<dyn Projector>) -> RunnerHandle {
        let (handle, controls) = handle::new(projector.name(), projector.version());
        tokio::spawn(runner::Runner::new(self.clone(), projector, controls).run());
        handle
    }
}
