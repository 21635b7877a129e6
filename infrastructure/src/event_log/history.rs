//! What the appender and the tailer share: the history that this node follows, and the hints between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use application::ports::{Epoch, LogHead};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::stored::StoredEvent;

/// Events that one transaction has committed, in order.
pub(super) type Committed = Vec<StoredEvent>;

/// A task of the log has ended, by a panic that is in the program's log.
#[derive(Debug, thiserror::Error)]
#[error("the event log has stopped working and needs a restart")]
pub(super) struct TaskEnded;

/// Announces that another node has appended. Clones are the same handle.
#[derive(Clone, Debug, Default)]
pub struct LogHint(Arc<Notify>);

impl LogHint {
    /// Makes the log look at the database at once.
    pub fn look(&self) {
        self.0.notify_one();
    }

    /// Waits for the next call of [`Self::look`], or returns at once after one that nobody has waited for.
    pub(super) fn noticed(&self) -> Notified<'_> {
        self.0.notified()
    }
}

/// Which history this node reads and writes.
#[derive(Clone)]
pub(super) struct History {
    epoch: Epoch,
    /// Set for good when another log has replaced this one.
    forked: Arc<AtomicBool>,
}

impl History {
    pub(super) fn of(epoch: Epoch) -> Self {
        Self { epoch, forked: Arc::default() }
    }

    pub(super) const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether `head` still belongs to it.
    pub(super) fn holds(&self, head: &LogHead) -> bool {
        if head.epoch != self.epoch && !self.forked.swap(true, Ordering::Relaxed) {
            tracing::error!(epoch = %head.epoch, was = %self.epoch, "the event log was replaced by another one");
        }
        !self.has_forked()
    }

    /// Records for good that another log has replaced this one.
    pub(super) fn fork(&self) {
        self.forked.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_forked(&self) -> bool {
        self.forked.load(Ordering::Relaxed)
    }
}
