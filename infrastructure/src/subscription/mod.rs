//! Subscribers follow the log: exactly once in effect, on one node at a time.

mod checkpoint;
mod checkpoint_lock;
mod follow;
mod handle;
mod lead;
pub mod names;
mod pause;
mod runner;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, EventLog, Ids, LogEvent, Position};
use async_trait::async_trait;
use domain::event::AnyEvent;

pub use checkpoint::Checkpoint;
pub use checkpoint_lock::{CheckpointLock, SubscriberId, TableState, find_outdated};
pub use handle::{RunnerHandle, RunnerStatus, StopReason};
pub use names::{MANAGERS, ROUTER, find_manager, mending_command};
pub use pause::Pause;

/// A node whose views are further behind the log, in events, is not ready.
pub const MOST_BEHIND: Position = 10_000;

use crate::database::{Database, DatabaseError, RowError, Transaction};

/// Follows the log. It gets every event that it [handles](Subscriber::handles), in the log's order, on one node at a time,
/// and each of them once in effect: what it writes and its checkpoint are one transaction.
///
/// The life of a subscriber on a node: [`load`](Subscriber::load), then [`handle`](Subscriber::handle) and
/// [`committed`](Subscriber::committed) in turns, then [`released`](Subscriber::released). After a transaction that was
/// rolled back it is loaded again.
///
/// A process manager is a subscriber and no [`View`]: what it has caused cannot be undone by a rebuild.
#[async_trait]
pub trait Subscriber: Send + Sync + 'static {
    /// Names the checkpoint, together with the version.
    fn name(&self) -> &'static str;

    /// The version of what it writes. A version above that of the stored checkpoint takes the tables over as they are, marks
    /// them as outdated and goes on; a rebuild replaces them later. So a new version, and the queries, must understand the
    /// rows of the version before.
    fn version(&self) -> i64;

    /// How long events may gather before they are handled together, while nothing on this node waits for them. A
    /// transaction costs much the same for one event as for fifty.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether an event matters to it.
    fn handles(&self, event: &AnyEvent) -> bool;

    /// Makes what it keeps in memory agree with its tables, which stand at the stored checkpoint. Called when this node
    /// begins to run it, and whenever a transaction was rolled back.
    ///
    /// # Errors
    /// See [`HandleError`].
    async fn load(&self, _database: &Database) -> Result<(), HandleError> {
        Ok(())
    }

    /// Writes what the events mean. They are in the log's order, all of them matter, and the checkpoint moves in the same
    /// transaction.
    ///
    /// # Errors
    /// See [`HandleError`].
    async fn handle(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError>;

    /// What it wrote last is committed: effects outside of the database may follow.
    fn committed(&self) {}

    /// This node does not run it any more. Returns when nothing that it has begun is still under way, within bounds: until
    /// then no other node runs it.
    async fn released(&self) {}
}

/// A subscriber whose only effect is rows in tables of its own: they follow from the log, so that a rebuild may replace them.
pub trait View: Subscriber {
    /// The tables that it writes, and no other subscriber does.
    fn tables(&self) -> &'static [&'static str];
}

/// Why events could not be handled.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// An event that the subscriber cannot make sense of: trying again would not help.
    #[error("event at position {position} cannot be projected")]
    Poison {
        /// Where the event is.
        position: Position,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A statement failed. What is not transient counts as poison.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<RowError> for HandleError {
    fn from(error: RowError) -> Self {
        Self::Database(error.into())
    }
}

/// The name of the lease that the node running a subscriber holds.
fn lease_of((name, version): SubscriberId) -> String {
    format!("projector:{name}:{version}")
}

/// Starts subscribers.
#[derive(Clone)]
pub struct Subscriptions {
    database: Database,
    log: Arc<dyn EventLog>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    owner: Arc<str>,
}

impl Subscriptions {
    /// For a node that appears as one owner of leases.
    #[must_use]
    pub fn new(database: Database, log: Arc<dyn EventLog>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        let owner = ids.new_uuid().to_string().into();
        Self { database, log, clock, ids, owner }
    }

    /// Runs a subscriber in a task of its own, until it is shut down or stops for a reason.
    pub fn start(&self, subscriber: Arc<dyn Subscriber>) -> RunnerHandle {
        let (handle, controls) = handle::new(subscriber.name(), subscriber.version());
        tokio::spawn(runner::Runner::new(self.clone(), subscriber, controls).run());
        handle
    }
}
