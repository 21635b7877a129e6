//! Comparing the live tables with what the log says.

use std::time::Instant;

use infrastructure::database::ReadSnapshot;
use infrastructure::subscription::{CheckpointLock, TableState};

use super::differ::Differ;
use super::target::Target;
use super::work::{TRIES, Work};
use super::{RebuildError, Rebuilt, RowDifference};

impl Work<'_> {
    pub(super) async fn fill_and_compare(
        &mut self,
        report: &mut (dyn FnMut(RowDifference) + Send),
    ) -> Result<Rebuilt, RebuildError> {
        let begun = Instant::now();
        self.look_at_goals().await?;
        self.ensure_comparable()?;
        self.fill().await?;
        let filled_in = begun.elapsed();
        self.pass.observer.does("comparing");
        let mut snapshot = self.snapshot().await?;
        let names = self.copies.names();
        let mut compared = 0;
        for table in &self.tables {
            let differ = Differ::new(&self.replay.database, *table, &names).await?;
            compared += differ.run(&mut snapshot, report).await?;
        }
        Ok(self.rebuilt(filled_in, compared))
    }

    /// One state of the database in which the live tables and the copies stand at the same place.
    async fn snapshot(&mut self) -> Result<ReadSnapshot, RebuildError> {
        let mut failures = 0;
        loop {
            let before = self.progress();
            let interrupted = match self.try_snapshot().await {
                Ok(Some(snapshot)) => return Ok(snapshot),
                Ok(None) if failures + 1 < TRIES => false,
                Ok(None) => return Err(RebuildError::Restless),
                Err(error) if error.is_transient() && failures + 1 < TRIES => true,
                Err(error) => return Err(error),
            };
            failures += 1;
            if interrupted {
                self.begin_again(before, failures).await?;
            } else {
                self.fill().await?;
            }
        }
    }

    /// Live tables can be compared only where they stand at a place in the log.
    fn ensure_comparable(&self) -> Result<(), RebuildError> {
        match self.targets.iter().find(|target| !target.is_live_in_log) {
            Some(target) => Err(RebuildError::ForeignCheckpoint { subscriber: target.name() }),
            None => Ok(()),
        }
    }

    async fn try_snapshot(&mut self) -> Result<Option<ReadSnapshot>, RebuildError> {
        let mut lock = CheckpointLock::take(&self.replay.database, &self.names).await?;
        self.catch_up_under_lock(&mut lock).await?;
        self.ensure_comparable()?;
        let Some(mut snapshot) = self.copies.snapshot(lock.into_transaction()).await? else { return Ok(None) };
        // The copies are kept where they are now, whatever becomes of the snapshot.
        let states = match CheckpointLock::look_in(&mut snapshot, &self.names).await {
            Err(error) if error.is_transient() => return Ok(None),
            states => states?,
        };
        let stands = |(target, state): (&Target, Option<TableState>)| {
            state.is_some_and(|state| state.checkpoint.position == target.reached)
        };
        Ok(self.targets.iter().zip(states).all(stands).then_some(snapshot))
    }
}
