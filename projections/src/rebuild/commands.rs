//! The commands: rebuild views, fold the router's state again, compare both with the log.

use infrastructure::lease::Lease;
use infrastructure::subscription::{Pause, ROUTER};

use super::differ::RowDifference;
use super::observer::{RebuildObserver, Rebuilt};
use super::target::{Target, all_targets, choose, views};
use super::work::Work;
use super::{RebuildError, Replay};

/// What a refold does while every router pauses.
pub(super) const FOLDING: &str = "folding";

impl Replay {
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
}
