//! The database and the log of a rebuild, and the lease that it holds.

use std::sync::Arc;
use std::time::Duration;

use application::backoff::Backoff;
use application::ports::{Clock, EventLog, Ids};
use async_trait::async_trait;
use infrastructure::database::{Database, DatabaseError, Holder, TableCopies, Transaction};
use infrastructure::lease::Lease;

use super::RebuildError;
use crate::catalog::all_view_tables;

/// One rebuild at a time: all of them use the same names for their copies.
const LEASE: &str = "rebuild";

/// How long a rebuild waits for another one: longer than the lease of a killed one lasts.
const LEASE_WITHIN: Duration = Duration::from_secs(6);
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(50), longest: Duration::from_millis(400), jitter: 0.5 };

/// May make and remove copies as long as it holds the lease: a process that was asleep may have lost it to another one, which
/// has made tables of the same names.
pub(super) struct LeaseHolder<'a> {
    pub(super) database: &'a Database,
    pub(super) lease: &'a Lease,
}

#[async_trait]
impl Holder for LeaseHolder<'_> {
    async fn begin(&self) -> Result<Option<Transaction>, DatabaseError> {
        let mut tx = self.database.begin_view().await?;
        Ok(self.lease.confirm(&mut tx).await?.then_some(tx))
    }
}

/// Fills tables from the log.
#[derive(Clone)]
pub struct Replay {
    pub(super) database: Database,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) owner: String,
}

impl Replay {
    /// Of this database and its log.
    #[must_use]
    pub fn new(database: Database, log: Arc<dyn EventLog>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        let owner = ids.new_uuid().to_string();
        Self { database, log, clock, ids, owner }
    }

    /// Removes what an interrupted run of this one has left, and lets others run.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn abandon(&self) -> Result<(), RebuildError> {
        let clock = Arc::clone(&self.clock);
        let Some(lease) = Lease::take_among_processes(&self.database, LEASE, &self.owner, clock).await? else {
            return Ok(());
        };
        let removed = self.all_copies().remove(&LeaseHolder { database: &self.database, lease: &lease }).await;
        lease.release().await;
        removed?;
        Ok(())
    }

    /// Copies of whatever an earlier run may have been about.
    pub(super) fn all_copies(&self) -> TableCopies {
        TableCopies::of(&self.database, all_view_tables().into_iter().map(|table| table.name))
    }

    pub(super) async fn lease(&self) -> Result<Lease, RebuildError> {
        let deadline = self.clock.now().plus(LEASE_WITHIN);
        let mut failures = 0;
        loop {
            let clock = Arc::clone(&self.clock);
            let reason = match Lease::take_among_processes(&self.database, LEASE, &self.owner, clock).await {
                Ok(Some(lease)) => return Ok(lease),
                Ok(None) => RebuildError::Busy,
                Err(error) if error.is_transient() => error.into(),
                Err(error) => return Err(error.into()),
            };
            if self.clock.now() >= deadline {
                return Err(reason);
            }
            failures += 1;
            BACKOFF.wait(failures, &*self.clock, &*self.ids).await;
        }
    }
}
