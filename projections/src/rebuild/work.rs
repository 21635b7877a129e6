//! The steps of a rebuild: fill copies next to the live tables, catch up with these while they are held still, exchange them.

use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};

use application::backoff::Backoff;
use application::ports::{Hash, Position, ReadError};
use infrastructure::database::{Database, TableCopies};
use infrastructure::lease::Lease;
use infrastructure::subscription::{Checkpoint, CheckpointLock, Pause, TableState};

use super::pass::{Copies, Destination, Pass};
use super::replay::LeaseHolder;
use super::target::{Target, load};
use super::{RebuildError, RebuildObserver, Rebuilt, Replay};
use crate::catalog::all_view_tables;
use crate::table::ViewTable;

/// Up to this number of events may be left when the live subscribers are held still.
const NEAR: Position = 512;

/// How often it catches up before it holds the live subscribers still, however much is left.
const ROUNDS: usize = 20;

/// How often the end is tried when other transactions are in the way, and the pauses before it is tried again.
pub(super) const TRIES: u32 = 20;
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(50), longest: Duration::from_millis(400), jitter: 0.5 };

/// The copies while they are filled.
pub(super) struct Work<'a> {
    pub(super) replay: &'a Replay,
    lease: &'a Lease,
    pause: Option<&'a Pause>,
    pub(super) names: Vec<&'static str>,
    pub(super) tables: Vec<ViewTable>,
    pub(super) copies: TableCopies,
    /// The database, with the names of the copies in the place of the live ones.
    aside: Database,
    pub(super) targets: Vec<Target>,
    pub(super) pass: Pass<'a>,
}

/// How far each target was, to return to after a failure.
pub(super) type Progress = Vec<(Position, Hash)>;

impl<'a> Work<'a> {
    pub(super) async fn prepare(
        replay: &'a Replay,
        targets: Vec<Target>,
        observer: &'a dyn RebuildObserver,
        (lease, pause): (&'a Lease, Option<&'a Pause>),
    ) -> Result<Self, RebuildError> {
        let Replay { database, log, clock, ids, .. } = replay;
        let names: Vec<_> = targets.iter().map(Target::name).collect();
        let written: Vec<_> = targets.iter().flat_map(|target| target.tables).copied().collect();
        let tables = all_view_tables().into_iter().filter(|table| written.contains(&table.name)).collect();
        let (copies, left_over) = (TableCopies::of(database, written), replay.all_copies());
        let holder = LeaseHolder { database, lease };
        if !(left_over.remove(&holder).await? && copies.create(&holder).await?) {
            return Err(RebuildError::Busy);
        }
        let aside = database.with_tables(copies.names());
        load(&targets, &aside).await?;
        let head = AtomicI64::new(log.head().await?.position);
        let pass = Pass { log, clock, ids, observer, head };
        Ok(Self { replay, lease, pause, names, tables, copies, aside, targets, pass })
    }

    pub(super) async fn fill_and_replace(&mut self) -> Result<Rebuilt, RebuildError> {
        let begun = Instant::now();
        self.fill().await?;
        let filled_in = begun.elapsed();
        let mut failures = 0;
        loop {
            let before = self.progress();
            match self.replace().await {
                Ok(()) => return Ok(self.rebuilt(filled_in, 0)),
                Err(error) if error.is_transient() && failures + 1 < TRIES => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "retrying the exchange of the tables");
                }
                Err(error) => return Err(error),
            }
            failures += 1;
            self.begin_again(before, failures).await?;
        }
    }

    /// Fills the copies until they are as far as the live tables, or nearly.
    pub(super) async fn fill(&mut self) -> Result<(), RebuildError> {
        for _ in 0..ROUNDS {
            self.look_at_goals().await?;
            if self.targets.iter().all(|target| target.behind() <= NEAR) {
                break;
            }
            self.write_copies().await?;
        }
        Ok(())
    }

    /// Sets the goals by where the live tables stand now.
    pub(super) async fn look_at_goals(&mut self) -> Result<(), RebuildError> {
        let states = CheckpointLock::look(&self.replay.database, &self.names).await?;
        self.set_goals(&states).await
    }

    /// Lets each target go as far as the live tables stand.
    async fn set_goals(&mut self, states: &[Option<TableState>]) -> Result<(), RebuildError> {
        let head = self.replay.log.head().await?;
        for (target, state) in self.targets.iter_mut().zip(states) {
            target.set_goal(*state, &head, &self.replay.database).await?;
        }
        Ok(())
    }

    async fn write_copies(&mut self) -> Result<(), RebuildError> {
        let in_parallel = self.copies.are_written_in_parallel();
        let copies = Copies { database: &self.aside, lease: self.lease, in_parallel };
        self.pass.run(&mut self.targets, Destination::Copies(&copies)).await
    }

    /// After a failure at the end: what was written in the transaction of the lock has not happened.
    pub(super) async fn begin_again(&mut self, before: Progress, failures: u32) -> Result<(), RebuildError> {
        if !self.copies.are_written_in_parallel() {
            for (target, (reached, hash)) in self.targets.iter_mut().zip(before) {
                (target.reached, target.hash) = (reached, hash);
            }
        }
        self.pause(failures).await;
        load(&self.targets, &self.aside).await?;
        self.fill().await
    }

    /// Holds the live subscribers still, catches up with them, and exchanges the tables. A checkpoint that is in the log does
    /// not move, so that it does not matter where this is interrupted; any other lets no subscriber run until it is replaced.
    async fn replace(&mut self) -> Result<(), RebuildError> {
        let mut lock = CheckpointLock::take(&self.replay.database, &self.names).await?;
        self.catch_up_under_lock(&mut lock).await?;
        // Not before: on MySQL this keeps every other transaction from asking, those of the copies too.
        self.confirm_rights(&mut lock).await?;
        let mended = self.mended().await?;
        self.copies.replace(lock.transaction()).await?;
        match lock.commit_replacement(&mended).await {
            // The tables are exchanged for good.
            Err(error) if error.is_transient() && self.copies.are_written_in_parallel() => {
                self.announce_replacement(&mended).await
            }
            outcome => Ok(outcome?),
        }
    }

    async fn confirm_rights(&self, lock: &mut CheckpointLock) -> Result<(), RebuildError> {
        let is_paused = match self.pause {
            Some(pause) => pause.confirm(lock.transaction()).await?,
            None => true,
        };
        let is_own = is_paused && self.lease.confirm(lock.transaction()).await?;
        if is_own { Ok(()) } else { Err(RebuildError::Busy) }
    }

    /// The checkpoints of new tables whose live one is not in the log.
    async fn mended(&self) -> Result<Vec<(&'static str, Checkpoint)>, RebuildError> {
        let head = self.replay.log.head().await?;
        let foreign = self.targets.iter().filter(|target| !target.is_live_in_log);
        Ok(foreign.map(|target| (target.name(), target.checkpoint(&head))).collect())
    }

    /// Lets subscribers know of tables that were exchanged; once too often does no harm.
    async fn announce_replacement(&self, mended: &[(&'static str, Checkpoint)]) -> Result<(), RebuildError> {
        let mut failures = 1;
        loop {
            self.pause(failures).await;
            let announced = match CheckpointLock::take(&self.replay.database, &self.names).await {
                Ok(lock) => lock.commit_replacement(mended).await,
                Err(error) => Err(error),
            };
            match announced {
                Err(error) if error.is_transient() && failures < TRIES => failures += 1,
                outcome => return Ok(outcome?),
            }
        }
    }

    /// Brings the copies exactly to where the live tables are held.
    pub(super) async fn catch_up_under_lock(&mut self, lock: &mut CheckpointLock) -> Result<(), RebuildError> {
        let states = lock.states().to_vec();
        self.set_goals(&states).await?;
        if self.copies.are_written_in_parallel() {
            // On its own connection, which does not keep the copies' tables from being renamed.
            self.write_copies().await?;
        } else {
            let tx = lock.transaction();
            tx.rename_tables(self.aside.table_names());
            self.pass.run(&mut self.targets, Destination::Within(tx)).await?;
            tx.rename_tables(None);
        }
        for (target, state) in self.targets.iter().zip(states.into_iter().flatten()) {
            let is_same = !target.is_live_in_log || target.hash == state.checkpoint.chain_hash;
            if target.reached != target.goal || !is_same {
                return Err(ReadError::HistoryForked { position: target.goal }.into());
            }
        }
        Ok(())
    }

    /// Removes the copies, unless they are another process's by now.
    pub(super) async fn clean_up(&self, outcome: Result<Rebuilt, RebuildError>) -> Result<Rebuilt, RebuildError> {
        if matches!(outcome, Err(RebuildError::Busy)) {
            return outcome;
        }
        self.pass.observer.does("cleaning up");
        let holder = LeaseHolder { database: &self.replay.database, lease: self.lease };
        if let Err(error) = self.copies.remove(&holder).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "tables are left over; the next rebuild removes them");
        }
        outcome
    }

    async fn pause(&self, failures: u32) {
        BACKOFF.wait(failures, &*self.replay.clock, &*self.replay.ids).await;
    }

    pub(super) fn progress(&self) -> Progress {
        self.targets.iter().map(|target| (target.reached, target.hash)).collect()
    }

    pub(super) fn rebuilt(&self, filled_in: Duration, compared: u64) -> Rebuilt {
        Rebuilt {
            projectors: self.names.clone(),
            tables: self.tables.iter().map(|table| table.name).collect(),
            position: self.targets.iter().map(|target| target.reached).max().unwrap_or(0),
            compared,
            filled_in,
        }
    }
}
