use std::sync::Arc;

use application::ports::{Hash, LogEvent, LogHead, Position, ReadError};
use infrastructure::database::{Database, Transaction};
use infrastructure::event_log::chain::GENESIS;
use infrastructure::subscription::{Checkpoint, HandleError, Subscriber, TableState, View};

use super::RebuildError;
use crate::catalog::{Manager, all_managers, all_views};
use crate::search::SearchProjector;

/// A subscriber that fills its tables again, and the part of the log that it has still to take in.
pub(super) struct Target {
    pub(super) subscriber: Arc<dyn Subscriber>,
    pub(super) tables: &'static [&'static str],
    /// Up to here everything is in its tables.
    pub(super) reached: Position,
    /// The log's hash there.
    pub(super) hash: Hash,
    /// It must not go further than this.
    pub(super) goal: Position,
    /// Whether the live checkpoint is a place in the log. If not, nothing can be said about the live tables, and the new ones
    /// need a checkpoint of their own.
    pub(super) is_live_in_log: bool,
}

impl Target {
    fn new(subscriber: Arc<dyn Subscriber>, tables: &'static [&'static str]) -> Self {
        Self { subscriber, tables, reached: 0, hash: GENESIS, goal: 0, is_live_in_log: true }
    }

    pub(super) fn view(view: Arc<dyn View>) -> Self {
        let tables = view.tables();
        Self::new(view, tables)
    }

    /// The state of a process manager, in memory from which nothing follows.
    fn manager(manager: Manager) -> Self {
        Self::new(manager.subscriber, manager.tables)
    }

    pub(super) fn name(&self) -> &'static str {
        self.subscriber.name()
    }

    pub(super) const fn behind(&self) -> Position {
        self.goal - self.reached
    }

    /// Sets the goal: where the live tables stand, or the end of the log where that is no place in it.
    pub(super) async fn set_goal(
        &mut self,
        live: Option<TableState>,
        head: &LogHead,
        database: &Database,
    ) -> Result<(), RebuildError> {
        let subscriber = self.name();
        let live = live.ok_or(RebuildError::NotBegun { subscriber })?;
        let (stored, known) = (live.version, self.subscriber.version());
        if stored != known {
            return Err(RebuildError::OtherVersion { subscriber, stored, known });
        }
        self.is_live_in_log = live.checkpoint.is_in_log(database).await?;
        self.goal = if self.is_live_in_log { live.checkpoint.position } else { head.position };
        if self.reached > self.goal {
            return Err(ReadError::HistoryForked { position: self.goal }.into());
        }
        Ok(())
    }

    /// Where the filled tables stand.
    pub(super) const fn checkpoint(&self, head: &LogHead) -> Checkpoint {
        Checkpoint { position: self.reached, chain_hash: self.hash, epoch: head.epoch, generation: 0 }
    }

    /// What it has to take in of these events.
    fn part<'a>(&self, events: &'a [Arc<LogEvent>]) -> &'a [Arc<LogEvent>] {
        let begin = events.partition_point(|event| event.header.position <= self.reached);
        let end = events.partition_point(|event| event.header.position <= self.goal);
        events.get(begin..end).unwrap_or_default()
    }

    pub(super) fn handled(&self, events: &[Arc<LogEvent>]) -> Vec<Arc<LogEvent>> {
        let part = self.part(events).iter();
        part.filter(|event| self.subscriber.handles(&event.event)).cloned().collect()
    }

    pub(super) async fn handle(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
        let handled = self.handled(events);
        if handled.is_empty() { Ok(()) } else { self.subscriber.handle(&handled, tx).await }
    }

    pub(super) fn advance(&mut self, events: &[Arc<LogEvent>]) {
        if let Some(last) = self.part(events).last() {
            (self.reached, self.hash) = (last.header.position, last.header.chain_hash);
        }
    }
}

/// Makes what the subscribers have in memory agree with the copies.
pub(super) async fn load(targets: &[Target], database: &Database) -> Result<(), HandleError> {
    for target in targets {
        target.subscriber.load(database).await?;
    }
    Ok(())
}

/// All views, in the order in which they are filled.
pub(super) fn views() -> Vec<Target> {
    let mut views: Vec<_> = all_views().into_iter().map(Target::view).collect();
    // The view with the most to write begins, so that the end does not wait for it.
    views.sort_by_key(|target| target.name() != SearchProjector.name());
    views
}

/// The states of all process managers.
pub(super) fn managers() -> Vec<Target> {
    all_managers(Arc::default()).into_iter().map(Target::manager).collect()
}

/// All views, and the states of the process managers.
pub(super) fn all_targets() -> Vec<Target> {
    views().into_iter().chain(managers()).collect()
}

/// The targets of these names, or all of them when no name is given.
pub(super) fn choose(mut targets: Vec<Target>, names: &[&str]) -> Result<Vec<Target>, RebuildError> {
    if let Some(unknown) = names.iter().find(|name| targets.iter().all(|target| target.name() != **name)) {
        let known = targets.iter().map(Target::name).collect();
        return Err(RebuildError::Unknown { name: (*unknown).to_owned(), known });
    }
    targets.retain(|target| names.is_empty() || names.contains(&target.name()));
    Ok(targets)
}
