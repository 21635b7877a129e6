//! The task of one subscriber on one node.

use std::sync::Arc;
use std::time::Duration;

use application::backoff::Backoff;
use application::ports::{Position, ReadError};
use tokio::time::timeout;

use super::checkpoint::Checkpoint;
use super::handle::{Controls, RunnerStatus, StopReason};
use super::{HandleError, Subscriber, Subscriptions, pause};
use crate::database::DatabaseError;
use crate::lease::Lease;

/// The pauses after failures of the database.
const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(30), longest: Duration::from_secs(3), jitter: 2.0 / 3.0 };

/// How long the lease is kept while what the subscriber has begun comes to its end.
const RELEASED_WITHIN: Duration = Duration::from_secs(5);

/// How often a subscriber that has stopped looks whether its tables were rebuilt.
const LOOK_FOR_REBUILD: Duration = Duration::from_secs(1);

/// Takes turns in following another node and leading.
pub(super) struct Runner {
    pub(super) subscriptions: Subscriptions,
    pub(super) subscriber: Arc<dyn Subscriber>,
    pub(super) controls: Controls,
    /// The number of turns in a row that failed before anything worked.
    failures: u32,
    /// How often the tables had been replaced when the turn began; see [`Self::generation`]. What is rebuilt after that may
    /// have mended the cause of a stop, however long the end of the turn takes.
    pub(super) began_with: Option<i64>,
}

/// Why a turn has ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum TurnEnd {
    /// The node is shutting down.
    #[error("shut down")]
    ShutDown,
    /// Another node may have the lease, has moved the checkpoint, or asks for a pause.
    #[error("another node took over")]
    Outrun,
    /// There is no sense in going on.
    #[error(transparent)]
    Stop(#[from] StopReason),
    /// Something that will pass.
    #[error("the database does not work")]
    Transient(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<DatabaseError> for TurnEnd {
    fn from(error: DatabaseError) -> Self {
        // Statements on checkpoints and leases are known to be right, so nothing but the database can fail.
        Self::Transient(Box::new(error))
    }
}

impl From<ReadError> for TurnEnd {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::HistoryForked { position } => Self::Stop(StopReason::HistoryForked { position }),
            ReadError::Undecodable { position, ref source } => {
                Self::Stop(StopReason::Poison { position, cause: with_sources(source.as_ref()) })
            }
            ReadError::Unavailable { source } => Self::Transient(source),
        }
    }
}

impl TurnEnd {
    /// What a failure to handle events means; `first` is the first of their positions.
    pub(super) fn of_projection(error: HandleError, first: Position) -> Self {
        match error {
            HandleError::Database(error) if error.is_transient() => error.into(),
            HandleError::Database(error) => {
                Self::Stop(StopReason::Poison { position: first, cause: with_sources(&error) })
            }
            HandleError::Poison { position, source } => {
                Self::Stop(StopReason::Poison { position, cause: with_sources(source.as_ref()) })
            }
        }
    }
}

impl Runner {
    pub(super) fn new(subscriptions: Subscriptions, subscriber: Arc<dyn Subscriber>, controls: Controls) -> Self {
        Self { subscriptions, subscriber, controls, failures: 0, began_with: None }
    }

    pub(super) async fn run(mut self) {
        let last = loop {
            match self.turn().await {
                TurnEnd::ShutDown => break RunnerStatus::ShutDown,
                TurnEnd::Stop(reason) => {
                    if !self.stop(reason).await {
                        return;
                    }
                }
                end => {
                    self.controls.status.send_replace(RunnerStatus::Following);
                    self.recover(&end).await;
                }
            }
        };
        self.controls.status.send_replace(last);
    }

    /// Waits for the lease, and leads while it lasts.
    async fn turn(&mut self) -> TurnEnd {
        let mut lease = match self.follow().await {
            Ok(lease) => lease,
            Err(end) => return end,
        };
        let end = self.lead(&mut lease).await;
        lease.release().await;
        end
    }

    async fn lead(&mut self, lease: &mut Lease) -> TurnEnd {
        let end = match self.begin_leading().await {
            Ok(mut leader) => leader.lead(lease).await,
            Err(end) => end,
        };
        if timeout(RELEASED_WITHIN, self.subscriber.released()).await.is_err() {
            tracing::warn!(subscriber = self.subscriber.name(), "subscriber gives its lease away with work under way");
        }
        end
    }

    async fn recover(&mut self, end: &TurnEnd) {
        if !matches!(end, TurnEnd::Transient(_)) {
            return;
        }
        let name = self.subscriber.name();
        tracing::warn!(subscriber = name, error = end as &dyn std::error::Error, "subscriber is interrupted; retrying");
        self.failures = self.failures.saturating_add(1);
        let (clock, ids) = (Arc::clone(&self.subscriptions.clock), Arc::clone(&self.subscriptions.ids));
        tokio::select! {
            () = BACKOFF.wait(self.failures, &*clock, &*ids) => {}
            () = self.shut_down() => {}
        }
    }

    /// After something has worked, the next failure is the first one again.
    pub(super) const fn recovered(&mut self) {
        self.failures = 0;
    }

    /// Ends when the node is shutting down.
    pub(super) async fn shut_down(&mut self) {
        // An error means that no handle is left; then a shutdown cannot be asked for.
        if self.controls.shutdown.wait_for(|asked| *asked).await.is_err() {
            std::future::pending().await
        }
    }

    /// Whether another process keeps this subscriber from running.
    pub(super) async fn is_paused(&self) -> Result<bool, DatabaseError> {
        pause::is_asked_for(&self.subscriptions.database, self.subscriber.name()).await
    }

    pub(super) fn id(&self) -> (&'static str, i64) {
        (self.subscriber.name(), self.subscriber.version())
    }

    /// Publishes how far the tables have come; never backwards.
    pub(super) fn publish(&self, position: Position) {
        self.controls.position.send_if_modified(|published| {
            let grows = position > *published;
            *published = position.max(*published);
            grows
        });
    }

    /// Does nothing until its tables were rebuilt, which may have mended the cause. `false`: the node is shutting down.
    async fn stop(&mut self, reason: StopReason) -> bool {
        tracing::error!(subscriber = self.subscriber.name(), %reason, "subscriber has stopped");
        self.controls.status.send_replace(RunnerStatus::Stopped(reason));
        let clock = Arc::clone(&self.subscriptions.clock);
        loop {
            tokio::select! {
                () = clock.sleep(LOOK_FOR_REBUILD) => {}
                () = self.shut_down() => return false,
            }
            if matches!(self.generation().await, Ok(Some(now)) if Some(now) != self.began_with) {
                tracing::info!(subscriber = self.subscriber.name(), "tables were rebuilt; subscriber starts again");
                self.controls.status.send_replace(RunnerStatus::Following);
                return true;
            }
        }
    }

    /// How often its tables were replaced by rebuilt ones; none when it has no checkpoint.
    pub(super) async fn generation(&self) -> Result<Option<i64>, DatabaseError> {
        let (name, version) = self.id();
        let found = Checkpoint::find(&self.subscriptions.database, name, version).await?;
        Ok(found.map(|checkpoint| checkpoint.generation))
    }
}

/// An error and its sources in one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
