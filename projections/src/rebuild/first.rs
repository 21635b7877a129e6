//! Fills the tables of a database that was restored: there are no live ones to be kept.

use std::sync::atomic::AtomicI64;

use application::ports::{LogHead, Position};
use infrastructure::lease::Lease;

use super::pass::{Copies, Destination, Pass};
use super::target::{all_targets, load};
use super::{RebuildError, RebuildObserver, Replay};

impl Replay {
    /// Fills the tables of all views and of the router, which must be empty, up to the end of the log, and stores where they
    /// stand. Nothing else may use the database, and nothing is carried out; broken off it is of no use.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn fill_first(&self, observer: &dyn RebuildObserver) -> Result<Position, RebuildError> {
        let lease = self.lease().await?;
        let filled = self.fill_all(&lease, observer).await;
        lease.release().await;
        filled
    }

    async fn fill_all(&self, lease: &Lease, observer: &dyn RebuildObserver) -> Result<Position, RebuildError> {
        let head @ LogHead { position, .. } = self.log.head().await?;
        let mut targets = all_targets();
        for target in &mut targets {
            target.goal = position;
        }
        load(&targets, &self.database).await?;
        let head_seen = AtomicI64::new(position);
        let pass = Pass { log: &self.log, clock: &self.clock, ids: &self.ids, observer, head: head_seen };
        let in_parallel = self.all_copies().are_written_in_parallel();
        let own = Copies { database: &self.database, lease, in_parallel };
        pass.run(&mut targets, Destination::Copies(&own)).await?;
        for target in &targets {
            let id = (target.name(), target.subscriber.version());
            target.checkpoint(&head).store_first(&self.database, id).await?;
        }
        Ok(position)
    }
}
