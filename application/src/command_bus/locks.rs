use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::ports::StreamId;

type Locks = HashMap<StreamId, Arc<tokio::sync::Mutex<()>>>;

/// Makes commands of this node on the same streams wait for each other. It only spares conflicts: the log decides.
#[derive(Default)]
pub(super) struct StreamLocks {
    locks: Arc<Mutex<Locks>>,
}

/// Holds its streams until it is dropped.
pub(super) struct StreamGuard {
    held: Vec<(StreamId, OwnedMutexGuard<()>)>,
    locks: Arc<Mutex<Locks>>,
}

impl StreamLocks {
    /// Waits for all of the streams, always in the same order, so that no two commands can wait for each other.
    pub async fn lock(&self, streams: &BTreeSet<StreamId>) -> StreamGuard {
        let mut guard = StreamGuard { held: Vec::with_capacity(streams.len()), locks: Arc::clone(&self.locks) };
        for stream in streams {
            let lock = Arc::clone(map(&self.locks).entry(*stream).or_default());
            guard.held.push((*stream, lock.lock_owned().await));
        }
        guard
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        let mut locks = map(&self.locks);
        for (stream, held) in self.held.drain(..) {
            drop(held);
            // While the map is locked no other task can take a reference.
            if locks.get(&stream).is_some_and(|lock| Arc::strong_count(lock) == 1) {
                locks.remove(&stream);
            }
        }
    }
}

fn map(locks: &Mutex<Locks>) -> MutexGuard<'_, Locks> {
    locks.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::aggregate::AggregateType;
    use uuid::Uuid;

    fn stream(n: u128) -> StreamId {
        StreamId { kind: AggregateType::Agent, id: Uuid::from_u128(n) }
    }

    #[tokio::test]
    async fn same_stream_waits_and_other_streams_do_not() {
        let locks = StreamLocks::default();
        let first = locks.lock(&BTreeSet::from([stream(1), stream(2)])).await;
        let _other = locks.lock(&BTreeSet::from([stream(3)])).await;
        let same = BTreeSet::from([stream(2)]);
        let mut waiting = Box::pin(locks.lock(&same));
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(first);
        waiting.await;
    }

    #[tokio::test]
    async fn released_locks_leave_nothing_behind() {
        let locks = StreamLocks::default();
        drop(locks.lock(&BTreeSet::from([stream(1), stream(2)])).await);
        assert!(map(&locks.locks).is_empty());
    }
}
