//! The commands: rebuild views, fold the router's state again, compare both with the log.

use infrastructure::lease::Lease;
use infrastructure::subscription::{Pause, SubscriberId, find_manager};

use super::differ::RowDifference;
use super::observer::{RebuildObserver, Rebuilt};
use super::target::{Target, all_targets, choose, managers, views};
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
        if let Some((name, _)) = names.iter().find_map(|name| find_manager(name)) {
            return Err(RebuildError::NoView { name });
        }
        let views = choose(views(), names)?;
        let lease = self.lease().await?;
        let outcome = self.replace(views, observer, (&lease, None)).await;
        lease.release().await;
        outcome
    }

    /// Folds the state of a process manager again, from an empty one and from the beginning of the log. Every node pauses it
    /// meanwhile, so that no choice follows from the old state, and the fold itself carries nothing out; afterwards a node
    /// takes the new state over. Failed attempts, which are not in the log, are forgotten: what waits is tried again.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn refold(&self, manager: SubscriberId, observer: &dyn RebuildObserver) -> Result<Rebuilt, RebuildError> {
        let lease = self.lease().await?;
        let outcome = self.refold_under(&lease, manager, observer).await;
        lease.release().await;
        outcome
    }

    async fn refold_under(
        &self,
        lease: &Lease,
        manager: SubscriberId,
        observer: &dyn RebuildObserver,
    ) -> Result<Rebuilt, RebuildError> {
        let targets = choose(managers(), &[manager.0])?;
        observer.does("waiting for the process manager to pause");
        let pause = Pause::begin(&self.database, manager, &self.owner, &self.clock).await?;
        let pause = pause.ok_or(RebuildError::NotPaused)?;
        observer.does(FOLDING);
        let outcome = self.replace(targets, observer, (lease, Some(&pause))).await;
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
