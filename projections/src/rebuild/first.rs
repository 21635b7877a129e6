//! Fills the tables of a database that was restored: there are none to be kept alive meanwhile.

use std::sync::atomic::AtomicI64;

use application::ports::{LogHead, Position};
use infrastructure::event_log::chain::GENESIS;
use infrastructure::subscription::{Checkpoint, ProjectorId};

use super::RebuildError;
use super::pass::{Pass, Sink, Target, load};
use super::replay::{RebuildObserver, Replay};

impl Replay {
    /// Fills the tables of all views, which must be empty, up to the end of the log, and stores where they stand. Nobody
    /// else may use the database, and broken off it is of no use.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn fill_first(&self, observer: &dyn RebuildObserver) -> Result<Position, RebuildError> {
        let lease = self.lease().await?;
        let LogHead { position, chain_hash, epoch, .. } = self.log.head().await?;
        let begin = |projector| Target { projector, reached: 0, hash: GENESIS, to: position };
        let mut targets: Vec<_> = self.choose(&[])?.into_iter().map(begin).collect();
        load(&targets, &self.database).await?;
        let pass = Pass { log: &self.log, clock: &self.clock, observer, head: AtomicI64::new(position) };
        pass.run(&mut targets, Sink::Own(&self.database, &lease)).await?;
        let checkpoint = Checkpoint { position, chain_hash, epoch, generation: 0 };
        for Target { projector, .. } in &targets {
            let id: ProjectorId = (projector.name(), projector.version());
            checkpoint.store_first(&self.database, id).await?;
        }
        lease.release().await;
        Ok(position)
    }
}
