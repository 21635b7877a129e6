//! Rebuilds views beside the live ones, while these are read and written.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};

use application::ports::{Clock, EventLog, Hash, Ids, Position, ReadError};
use infrastructure::database::{Database, DatabaseError, Dialect, Snapshot, TableCopies};
use infrastructure::event_log::chain::GENESIS;
use infrastructure::lease::Lease;
use infrastructure::subscription::{Hold, Projector, ProjectorId, Standing, find_outdated};

use super::differ::{Differ, RowDifference};
use super::fill::routing;
use super::pass::{Pass, Sink, Target, load};
use super::{RebuildError, ViewTable, all_view_tables, carry, view_projectors};
use crate::search::SearchProjector;

/// One rebuild at a time: all of them use the same names for their copies.
const LEASE: &str = "rebuild";

/// How long another rebuild is waited for: longer than the lease of one that was killed lasts.
const LEASE_WITHIN: Duration = Duration::from_secs(6);
const LEASE_PAUSE: Duration = Duration::from_millis(200);

/// So few events may be left when the live projectors are held still.
const NEAR: Position = 512;

/// How often it catches up before it holds the live projectors still, however much is left.
const ROUNDS: usize = 20;

/// How often the end is tried when somebody is in the way.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// Is told how a rebuild gets on.
pub trait RebuildObserver: Send + Sync {
    /// It has read the log to this position; `end` is where it will go on to, as far as is known.
    fn reached(&self, position: Position, end: Position);

    /// It compares, or cleans up.
    fn does(&self, what: &'static str);
}

/// Nobody watches.
impl RebuildObserver for () {
    fn reached(&self, _: Position, _: Position) {}

    fn does(&self, _: &'static str) {}
}

/// What a rebuild did.
#[derive(Clone, Debug, PartialEq)]
pub struct Rebuilt {
    /// The projectors.
    pub projectors: Vec<&'static str>,
    /// The tables.
    pub tables: Vec<&'static str>,
    /// The place in the log up to which the furthest of them holds everything.
    pub position: Position,
    /// How many rows were compared, when nothing was replaced.
    pub compared: u64,
    /// How long it took to fill the copies.
    pub filled_in: Duration,
}

/// Rebuilds views from the log.
#[derive(Clone)]
pub struct Replay {
    pub(super) database: Database,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) clock: Arc<dyn Clock>,
    owner: String,
}

/// The copies while they are filled.
struct Work<'a> {
    names: Vec<&'static str>,
    tables: Vec<ViewTable>,
    copies: TableCopies,
    aside: Database,
    targets: Vec<Target>,
    pass: Pass<'a>,
}

impl Replay {
    /// Of this database and its log.
    #[must_use]
    pub fn new(database: Database, log: Arc<dyn EventLog>, clock: Arc<dyn Clock>, ids: &dyn Ids) -> Self {
        Self { database, log, clock, owner: ids.new_uuid().to_string() }
    }

    /// Fills copies of the tables of these projectors (of all when there are none), puts them in the place of the live
    /// ones and removes those. Until that moment the live ones are untouched, whatever happens.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn run(&self, names: &[&str], observer: &dyn RebuildObserver) -> Result<Rebuilt, RebuildError> {
        let projectors = self.choose(names)?;
        let lease = self.lease().await?;
        let outcome = match self.prepare(projectors, observer, &lease).await {
            Ok(mut work) => {
                let outcome = self.fill_and_replace(&mut work, &lease).await;
                self.clean_up(&work, &lease, outcome).await
            }
            Err(error) => Err(error),
        };
        lease.release().await;
        outcome
    }

    /// Fills copies in the same way and compares the live tables with them at the same place in the log.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn verify(
        &self,
        names: &[&str],
        observer: &dyn RebuildObserver,
        tell: &mut (dyn FnMut(RowDifference) + Send),
    ) -> Result<Rebuilt, RebuildError> {
        let projectors = self.choose(names)?;
        let lease = self.lease().await?;
        let outcome = match self.prepare(projectors, observer, &lease).await {
            Ok(mut work) => {
                let outcome = self.fill_and_compare(&mut work, &lease, tell).await;
                self.clean_up(&work, &lease, outcome).await
            }
            Err(error) => Err(error),
        };
        lease.release().await;
        outcome
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
        let removed = self.all_copies().remove().await;
        lease.release().await;
        Ok(removed?)
    }

    /// Changes tables, unless this process was asleep for so long that somebody else may have made tables of these names.
    async fn as_holder(
        &self,
        lease: &Lease,
        change: impl Future<Output = Result<(), DatabaseError>>,
    ) -> Result<(), RebuildError> {
        let mut tx = self.database.begin_view().await?;
        if !lease.confirm(&mut tx).await? {
            return Err(RebuildError::Busy);
        }
        match self.database.dialect() {
            // Nobody gets the lease before this transaction ends.
            Dialect::Mysql => {
                change.await?;
                tx.commit().await?;
            }
            // One transaction writes at a time, and the change is one itself.
            Dialect::Sqlite => {
                tx.commit().await?;
                change.await?;
            }
        }
        Ok(())
    }

    /// Removes the copies, unless they are somebody else's by now.
    async fn clean_up(
        &self,
        work: &Work<'_>,
        lease: &Lease,
        outcome: Result<Rebuilt, RebuildError>,
    ) -> Result<Rebuilt, RebuildError> {
        if matches!(outcome, Err(RebuildError::Busy)) {
            return outcome;
        }
        work.pass.observer.does("cleaning up");
        if let Err(error) = self.as_holder(lease, work.copies.remove()).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "tables are left over; the next rebuild removes them");
        }
        outcome
    }

    /// Copies of whatever an earlier run may have been about.
    fn all_copies(&self) -> TableCopies {
        TableCopies::of(&self.database, all_view_tables().into_iter().map(|table| table.name))
    }

    pub(super) async fn lease(&self) -> Result<Lease, RebuildError> {
        let deadline = self.clock.now().plus(LEASE_WITHIN);
        let mut reason;
        loop {
            let clock = Arc::clone(&self.clock);
            match Lease::take_among_processes(&self.database, LEASE, &self.owner, clock).await {
                Ok(Some(lease)) => return Ok(lease),
                Ok(None) => reason = RebuildError::Busy,
                Err(error) if error.is_transient() => reason = error.into(),
                Err(error) => return Err(error.into()),
            }
            if self.clock.now() >= deadline {
                return Err(reason);
            }
            self.clock.sleep(LEASE_PAUSE).await;
        }
    }

    async fn prepare<'a>(
        &'a self,
        projectors: Vec<Arc<dyn Projector>>,
        observer: &'a dyn RebuildObserver,
        lease: &Lease,
    ) -> Result<Work<'a>, RebuildError> {
        let names: Vec<_> = projectors.iter().map(|projector| projector.name()).collect();
        let written: Vec<_> = projectors.iter().flat_map(|projector| projector.tables()).copied().collect();
        let tables = all_view_tables().into_iter().filter(|table| written.contains(&table.name)).collect();
        let copies = TableCopies::of(&self.database, written);
        self.as_holder(lease, async {
            self.all_copies().remove().await?;
            copies.create().await
        })
        .await?;
        let aside = self.database.with_tables(copies.names());
        let targets: Vec<_> =
            projectors.into_iter().map(|projector| Target { projector, reached: 0, hash: GENESIS, to: 0 }).collect();
        load(&targets, &aside).await?;
        let pass = Pass {
            log: &self.log,
            clock: &self.clock,
            observer,
            head: AtomicI64::new(self.log.head().await?.position),
        };
        Ok(Work { names, tables, copies, aside, targets, pass })
    }

    pub(super) fn choose(&self, names: &[&str]) -> Result<Vec<Arc<dyn Projector>>, RebuildError> {
        let mut all = view_projectors();
        all.push(routing(&self.log, &self.database));
        if let Some(unknown) = names.iter().find(|name| all.iter().all(|projector| projector.name() != **name)) {
            let known = all.iter().map(|projector| projector.name()).collect();
            return Err(RebuildError::Unknown { name: (*unknown).to_owned(), known });
        }
        all.retain(|projector| names.is_empty() || names.contains(&projector.name()));
        // Whoever has the most to write begins, so that the end is not waiting for it.
        all.sort_by_key(|projector| projector.name() != SearchProjector.name());
        Ok(all)
    }

    async fn fill_and_replace(&self, work: &mut Work<'_>, lease: &Lease) -> Result<Rebuilt, RebuildError> {
        let begun = Instant::now();
        self.fill(work, lease).await?;
        let filled_in = begun.elapsed();
        let mut tries = 1;
        loop {
            let before = work.places();
            match self.replace(work, lease).await {
                Ok(()) => return Ok(work.rebuilt(filled_in, 0)),
                Err(error) if error.is_transient() && tries < TRIES => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "the rebuilt tables wait");
                }
                Err(error) => return Err(error),
            }
            tries += 1;
            self.try_again(work, lease, before).await?;
        }
    }

    /// Fills the copies until they are as far as the live tables, or nearly.
    async fn fill(&self, work: &mut Work<'_>, lease: &Lease) -> Result<(), RebuildError> {
        for _ in 0..ROUNDS {
            let standings = Hold::look(&self.database, &work.names).await?;
            work.aim(&standings)?;
            if work.targets.iter().all(|target| target.behind() <= NEAR) {
                break;
            }
            work.pass.run(&mut work.targets, Sink::Own(&work.aside, lease)).await?;
        }
        Ok(())
    }

    /// After a failure at the end: what was written in a transaction of SQLite's has not happened.
    async fn try_again(
        &self,
        work: &mut Work<'_>,
        lease: &Lease,
        before: Vec<(Position, Hash)>,
    ) -> Result<(), RebuildError> {
        if self.database.dialect() == Dialect::Sqlite {
            for (target, (reached, hash)) in work.targets.iter_mut().zip(before) {
                (target.reached, target.hash) = (reached, hash);
            }
        }
        self.clock.sleep(PAUSE).await;
        load(&work.targets, &work.aside).await?;
        self.fill(work, lease).await
    }

    /// Holds the live projectors still, catches up with them, and exchanges the tables. No checkpoint moves, so that it
    /// does not matter where this is interrupted.
    async fn replace(&self, work: &mut Work<'_>, lease: &Lease) -> Result<(), RebuildError> {
        let mut hold = Hold::take(&self.database, &work.names).await?;
        self.meet(work, lease, &mut hold).await?;
        // Not before: on MySQL this keeps every other transaction from asking, those of the copies too.
        if !lease.confirm(hold.transaction()).await? {
            return Err(RebuildError::Busy);
        }
        let tables: Vec<_> = work.tables.iter().map(|table| table.name).collect();
        let carried = carry::statements(&tables, &work.copies.names());
        match self.database.dialect() {
            Dialect::Mysql => carry::run(&self.database, &carried).await?,
            Dialect::Sqlite => {
                for statement in &carried {
                    hold.transaction().execute(statement, vec![]).await?;
                }
            }
        }
        work.copies.replace(hold.transaction()).await?;
        match (hold.commit_replacement().await, self.database.dialect()) {
            // MySQL has exchanged them for good.
            (Err(error), Dialect::Mysql) if error.is_transient() => self.tell_of_replacement(&work.names).await,
            (outcome, _) => Ok(outcome?),
        }
    }

    /// Lets projectors know of tables that were exchanged; once too often does no harm.
    async fn tell_of_replacement(&self, names: &[&'static str]) -> Result<(), RebuildError> {
        let mut tries = 1;
        loop {
            self.clock.sleep(PAUSE).await;
            let told = match Hold::take(&self.database, names).await {
                Ok(hold) => hold.commit_replacement().await,
                Err(error) => Err(error),
            };
            match told {
                Err(error) if error.is_transient() && tries < TRIES => tries += 1,
                outcome => return Ok(outcome?),
            }
        }
    }

    /// Brings the copies exactly to where the live tables are held.
    async fn meet(&self, work: &mut Work<'_>, lease: &Lease, hold: &mut Hold) -> Result<(), RebuildError> {
        let standings = hold.standings().to_vec();
        work.aim(&standings)?;
        match self.database.dialect() {
            // Its own connection, which does not keep the copies' tables from being renamed.
            Dialect::Mysql => work.pass.run(&mut work.targets, Sink::Own(&work.aside, lease)).await?,
            // One transaction writes at a time.
            Dialect::Sqlite => {
                let tx = hold.transaction();
                tx.rename_tables(work.aside.table_names());
                work.pass.run(&mut work.targets, Sink::Within(tx)).await?;
                tx.rename_tables(None);
            }
        }
        for (target, standing) in work.targets.iter().zip(standings.into_iter().flatten()) {
            if target.reached != standing.checkpoint.position || target.hash != standing.checkpoint.chain_hash {
                return Err(ReadError::HistoryForked { position: standing.checkpoint.position }.into());
            }
        }
        Ok(())
    }

    async fn fill_and_compare(
        &self,
        work: &mut Work<'_>,
        lease: &Lease,
        tell: &mut (dyn FnMut(RowDifference) + Send),
    ) -> Result<Rebuilt, RebuildError> {
        let begun = Instant::now();
        self.fill(work, lease).await?;
        let filled_in = begun.elapsed();
        work.pass.observer.does("comparing");
        let mut snapshot = self.snapshot(work, lease).await?;
        let names = work.copies.names();
        let mut compared = 0;
        for table in &work.tables {
            let differ = Differ::new(&self.database, *table, &names).await?;
            compared += differ.run(&mut snapshot, tell).await?;
        }
        Ok(work.rebuilt(filled_in, compared))
    }

    /// One state of the database in which the live tables and the copies stand at the same place.
    async fn snapshot(&self, work: &mut Work<'_>, lease: &Lease) -> Result<Snapshot, RebuildError> {
        let mut tries = 1;
        loop {
            let before = work.places();
            let error = match self.try_snapshot(work, lease).await {
                Ok(Some(snapshot)) => return Ok(snapshot),
                Ok(None) if tries < TRIES => None,
                Ok(None) => return Err(RebuildError::Restless),
                Err(error) if error.is_transient() && tries < TRIES => Some(before),
                Err(error) => return Err(error),
            };
            tries += 1;
            match error {
                Some(before) => self.try_again(work, lease, before).await?,
                None => self.fill(work, lease).await?,
            }
        }
    }

    async fn try_snapshot(&self, work: &mut Work<'_>, lease: &Lease) -> Result<Option<Snapshot>, RebuildError> {
        let mut hold = Hold::take(&self.database, &work.names).await?;
        self.meet(work, lease, &mut hold).await?;
        let mut snapshot = match self.database.dialect() {
            Dialect::Mysql => {
                let snapshot = self.database.snapshot().await?;
                hold.release().await?;
                snapshot
            }
            // What the hold has written is to be seen.
            Dialect::Sqlite => {
                hold.release().await?;
                match self.database.snapshot().await {
                    Err(error) if error.is_transient() => return Ok(None),
                    snapshot => snapshot?,
                }
            }
        };
        // The copies are kept where they are now, whatever becomes of the snapshot.
        let standings = match Hold::look_in(&mut snapshot, &work.names).await {
            Err(error) if error.is_transient() => return Ok(None),
            standings => standings?,
        };
        let stands = |(target, standing): (&Target, Option<Standing>)| {
            standing.is_some_and(|standing| standing.checkpoint.position == target.reached)
        };
        Ok(work.targets.iter().zip(standings).all(stands).then_some(snapshot))
    }
}

impl Work<'_> {
    /// Lets each target go as far as the live tables stand.
    fn aim(&mut self, standings: &[Option<Standing>]) -> Result<(), RebuildError> {
        for (target, standing) in self.targets.iter_mut().zip(standings) {
            let projector = target.projector.name();
            let standing = standing.ok_or(RebuildError::NotBegun { projector })?;
            let (stored, known) = (standing.version, target.projector.version());
            if stored != known {
                return Err(RebuildError::OtherVersion { projector, stored, known });
            }
            target.to = standing.checkpoint.position;
            if target.reached > target.to {
                return Err(ReadError::HistoryForked { position: target.to }.into());
            }
        }
        Ok(())
    }

    fn places(&self) -> Vec<(Position, Hash)> {
        self.targets.iter().map(|target| (target.reached, target.hash)).collect()
    }

    fn rebuilt(&self, filled_in: Duration, compared: u64) -> Rebuilt {
        Rebuilt {
            projectors: self.names.clone(),
            tables: self.tables.iter().map(|table| table.name).collect(),
            position: self.targets.iter().map(|target| target.reached).max().unwrap_or(0),
            compared,
            filled_in,
        }
    }
}

/// Rebuilds the tables that hold rows of an earlier version of their projector, as soon as every projector has taken
/// its tables over. Until then they are read, and written, as they are.
pub async fn rebuild_outdated(replay: Replay, projectors: Vec<ProjectorId>) {
    const LOOK: Duration = Duration::from_secs(1);
    loop {
        replay.clock.sleep(LOOK).await;
        let outdated = match find_outdated(&replay.database, &projectors).await {
            Ok(None) => continue,
            Ok(Some(outdated)) if outdated.is_empty() => return,
            Ok(Some(outdated)) => outdated,
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "outdated tables cannot be looked for");
                continue;
            }
        };
        tracing::info!(?outdated, "rebuilding tables of an earlier version");
        match replay.run(&outdated, &()).await {
            Ok(rebuilt) => tracing::info!(tables = ?rebuilt.tables, position = rebuilt.position, "tables are rebuilt"),
            Err(error) if error.is_transient() => {
                tracing::debug!(error = &error as &dyn std::error::Error, "the rebuild is tried again");
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, ?outdated, "tables stay outdated");
                return;
            }
        }
    }
}
