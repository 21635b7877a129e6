//! The commands: rebuild views, fold the router's state again, compare both with the log.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, EventLog, Ids, Position};
use infrastructure::database::{Database, DatabaseError, TableCopies};
use infrastructure::lease::Lease;
use infrastructure::subscription::{Pause, ROUTER, Subscriber as _};

use super::RebuildError;
use super::differ::RowDifference;
use super::target::Target;
use super::work::Work;
use crate::catalog::{all_view_tables, all_views};
use crate::search::SearchProjector;

/// One rebuild at a time: all of them use the same names for their copies.
const LEASE: &str = "rebuild";

/// How long a rebuild waits for another one: longer than the lease of a killed one lasts.
const LEASE_WITHIN: Duration = Duration::from_secs(6);
const LEASE_PAUSE: Duration = Duration::from_millis(200);

/// What a refold does while every router pauses.
pub(super) const FOLDING: &str = "folding";

/// Follows the progress of a rebuild.
pub trait RebuildObserver: Send + Sync {
    /// The log was read to this position; `end` is where the rebuild goes on to, as far as is known.
    fn reached(&self, position: Position, end: Position);

    /// What it does now, other than reading the log.
    fn does(&self, what: &'static str);
}

/// Progress that nobody follows.
impl RebuildObserver for () {
    fn reached(&self, _: Position, _: Position) {}

    fn does(&self, _: &'static str) {}
}

/// What a rebuild did.
#[derive(Clone, Debug, PartialEq)]
pub struct Rebuilt {
    /// The names of the subscribers.
    pub projectors: Vec<&'static str>,
    /// The names of their tables.
    pub tables: Vec<&'static str>,
    /// The place in the log up to which the furthest of them holds everything.
    pub position: Position,
    /// How many rows were compared, when nothing was replaced.
    pub compared: u64,
    /// How long it took to fill the copies.
    pub filled_in: Duration,
}

/// Fills tables from the log.
#[derive(Clone)]
pub struct Replay {
    pub(super) database: Database,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) clock: Arc<dyn Clock>,
    owner: String,
}

impl Replay {
    /// Of this database and its log.
    #[must_use]
    pub fn new(database: Database, log: Arc<dyn EventLog>, clock: Arc<dyn Clock>, ids: &dyn Ids) -> Self {
        Self { database, log, clock, owner: ids.new_uuid().to_string() }
    }

    /// Rebuilds these views, or all of them when no name is given: fills copies of their tables and puts them in the place of
    /// the live ones. Until that moment the live ones are untouched, whatever happens. Where the old tables stood does not
    /// matter: a checkpoint that is not in the log is replaced, too.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn run(&self, names: &[&str], observer: &dyn RebuildObserver) -> Result<Rebuilt, RebuildError> {
        if names.contains(&ROUTER.0) {
            return Err(RebuildError::NoView { name: ROUTER.0 });
        }
        let views = choose(views(), names)?;
        let lease = self.lease().await?;
        let outcome = self.replace(views, observer, (&lease, None)).await;
        lease.release().await;
        outcome
    }

    /// Folds the router's state again, from an empty one and from the beginning of the log. Every node pauses its router
    /// meanwhile, so that no choice follows from the old state, and the fold itself carries nothing out; afterwards a node
    /// takes the new state over. Failed attempts, which are not in the log, are forgotten: what waits is tried again.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn refold_router(&self, observer: &dyn RebuildObserver) -> Result<Rebuilt, RebuildError> {
        let lease = self.lease().await?;
        let outcome = self.refold(observer, &lease).await;
        lease.release().await;
        outcome
    }

    async fn refold(&self, observer: &dyn RebuildObserver, lease: &Lease) -> Result<Rebuilt, RebuildError> {
        observer.does("waiting for the router to pause");
        let pause = Pause::begin(&self.database, ROUTER, &self.owner, &self.clock).await?;
        let pause = pause.ok_or(RebuildError::NotPaused)?;
        observer.does(FOLDING);
        let outcome = self.replace(vec![Target::router()], observer, (lease, Some(&pause))).await;
        pause.end().await;
        outcome
    }

    /// Fills copies in the same way and compares the live tables with them at the same place in the log; all views and the
    /// router's state when no name is given.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn verify(
        &self,
        names: &[&str],
        observer: &dyn RebuildObserver,
        report: &mut (dyn FnMut(RowDifference) + Send),
    ) -> Result<Rebuilt, RebuildError> {
        let targets = choose(all_targets(), names)?;
        let lease = self.lease().await?;
        let outcome = match Work::prepare(self, targets, observer, (&lease, None)).await {
            Ok(mut work) => {
                let outcome = work.fill_and_compare(report).await;
                work.clean_up(outcome).await
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

    async fn replace(
        &self,
        targets: Vec<Target>,
        observer: &dyn RebuildObserver,
        rights: (&Lease, Option<&Pause>),
    ) -> Result<Rebuilt, RebuildError> {
        let mut work = Work::prepare(self, targets, observer, rights).await?;
        let outcome = work.fill_and_replace().await;
        work.clean_up(outcome).await
    }

    /// Changes tables, unless this process was asleep for so long that another one may have made tables of these names.
    pub(super) async fn as_holder(
        &self,
        lease: &Lease,
        copies: &TableCopies,
        change: impl Future<Output = Result<(), DatabaseError>> + Send,
    ) -> Result<(), RebuildError> {
        let mut tx = self.database.begin_view().await?;
        if !lease.confirm(&mut tx).await? {
            return Err(RebuildError::Busy);
        }
        Ok(copies.change_as_holder(tx, change).await?)
    }

    /// Copies of whatever an earlier run may have been about.
    pub(super) fn all_copies(&self) -> TableCopies {
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
}

fn views() -> Vec<Target> {
    let mut views: Vec<_> = all_views().into_iter().map(Target::view).collect();
    // The view with the most to write begins, so that the end does not wait for it.
    views.sort_by_key(|target| target.name() != SearchProjector.name());
    views
}

/// Everything that follows from the log.
pub(super) fn all_targets() -> Vec<Target> {
    let mut targets = views();
    targets.push(Target::router());
    targets
}

fn choose(mut targets: Vec<Target>, names: &[&str]) -> Result<Vec<Target>, RebuildError> {
    if let Some(unknown) = names.iter().find(|name| targets.iter().all(|target| target.name() != **name)) {
        let known = targets.iter().map(Target::name).collect();
        return Err(RebuildError::Unknown { name: (*unknown).to_owned(), known });
    }
    targets.retain(|target| names.is_empty() || names.contains(&target.name()));
    Ok(targets)
}
