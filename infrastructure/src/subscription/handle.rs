//! What others see of a running subscriber.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use application::ports::Position;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// What a subscriber does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunnerStatus {
    /// Another node runs it, or none does yet; this one follows its checkpoint.
    Following,
    /// This node runs it.
    Running,
    /// It has stopped, and needs an operator.
    Stopped(StopReason),
    /// The node is ending: it stored its checkpoint and released its lease.
    ShutDown,
}

/// Why a subscriber has stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// The log is not the one that was projected.
    #[error("the history of the log has changed at position {position}")]
    HistoryForked {
        /// The first position that differs, as far as known.
        position: Position,
    },
    /// The log in the database does not have the place that the checkpoint names: the checkpoint was spoiled, or events were
    /// lost after they were projected. A rebuild mends it.
    #[error("its checkpoint at position {position} is not in the log")]
    ForeignCheckpoint {
        /// Where the checkpoint stands.
        position: Position,
    },
    /// Its task has panicked.
    #[error("the subscriber has panicked")]
    Panicked,
    /// Its tables belong to a newer version of it.
    #[error("its tables belong to version {version}: a newer program works on this database")]
    Superseded {
        /// The newer version.
        version: i64,
    },
    /// An event could not be projected or read.
    #[error("event at position {position} cannot be projected: {cause}")]
    Poison {
        /// Where the event is.
        position: Position,
        /// The error with its sources.
        cause: String,
    },
}

impl RunnerStatus {
    /// Whether nothing more will happen.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        matches!(self, Self::Stopped(_) | Self::ShutDown)
    }
}

/// A running subscriber. Clones are the same one; it goes on running when they are dropped.
#[derive(Clone)]
pub struct RunnerHandle {
    name: &'static str,
    version: i64,
    position: watch::Receiver<Position>,
    status: watch::Receiver<RunnerStatus>,
    waiters: Arc<Waiters>,
    shutdown: watch::Sender<bool>,
}

/// The runner's ends of a handle.
pub(super) struct Controls {
    pub(super) position: watch::Sender<Position>,
    pub(super) status: watch::Sender<RunnerStatus>,
    pub(super) waiters: Arc<Waiters>,
    pub(super) shutdown: watch::Receiver<bool>,
}

/// How many requests wait for a position; a node that only follows looks more often then.
#[derive(Default)]
pub(super) struct Waiters {
    count: AtomicUsize,
    arrived: Notify,
}

impl Waiters {
    pub(super) fn any(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Ends when a request begins to wait.
    pub(super) async fn arrival(&self) {
        self.arrived.notified().await;
    }
}

struct Waiting<'a>(&'a Waiters);

impl<'a> Waiting<'a> {
    fn begin(waiters: &'a Waiters) -> Self {
        waiters.count.fetch_add(1, Ordering::Relaxed);
        waiters.arrived.notify_one();
        Self(waiters)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) fn new(name: &'static str, version: i64) -> (RunnerHandle, Controls) {
    let (position_sender, position) = watch::channel(0);
    let (status_sender, status) = watch::channel(RunnerStatus::Following);
    let (shutdown, shutdown_receiver) = watch::channel(false);
    let waiters = Arc::new(Waiters::default());
    let controls = Controls {
        position: position_sender,
        status: status_sender,
        waiters: Arc::clone(&waiters),
        shutdown: shutdown_receiver,
    };
    (RunnerHandle { name, version, position, status, waiters, shutdown }, controls)
}

impl RunnerHandle {
    /// The subscriber's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The subscriber's version.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// How far the tables are known to have come.
    #[must_use]
    pub fn position(&self) -> Position {
        *self.position.borrow()
    }

    /// The same, for waiting.
    #[must_use]
    pub fn positions(&self) -> watch::Receiver<Position> {
        self.position.clone()
    }

    /// What it does now.
    #[must_use]
    pub fn status(&self) -> RunnerStatus {
        let status = self.status.borrow().clone();
        // The other end is dropped with the task.
        if self.status.has_changed().is_err() && !status.has_ended() {
            return RunnerStatus::Stopped(StopReason::Panicked);
        }
        status
    }

    /// The same, for waiting.
    #[must_use]
    pub fn statuses(&self) -> watch::Receiver<RunnerStatus> {
        self.status.clone()
    }

    /// Waits until everything up to `position` is in the tables, whichever node puts it there. `false`: it did not get
    /// there in time, or never will.
    pub async fn wait_for(&self, position: Position, within: Duration) -> bool {
        if self.position() >= position {
            return true;
        }
        let _waiting = Waiting::begin(&self.waiters);
        let (mut positions, mut status) = (self.position.clone(), self.status.clone());
        let reached = async {
            tokio::select! {
                reached = positions.wait_for(|reached| *reached >= position) => reached.is_ok(),
                _ = status.wait_for(RunnerStatus::has_ended) => false,
            }
        };
        timeout(within, reached).await.unwrap_or(false)
    }

    /// Lets it finish its page, keep its checkpoint and give its lease away, and waits for that.
    pub async fn shut_down(&self) {
        self.shutdown.send_replace(true);
        let mut status = self.status.clone();
        // An error means that the task is gone.
        drop(status.wait_for(RunnerStatus::has_ended).await);
    }
}
