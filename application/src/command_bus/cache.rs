use std::any::Any;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::ports::{SeenStream, StreamId};

/// A state of some aggregate, shared.
pub(super) type AnyState = Arc<dyn Any + Send + Sync>;

/// The states of hot aggregates. An old one is no harm: the log's version check finds it.
pub(super) struct AggregateCache {
    states: Mutex<States>,
}

type States = LruCache<StreamId, (SeenStream, AnyState)>;

impl AggregateCache {
    pub fn new(capacity: usize) -> Self {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        Self { states: Mutex::new(LruCache::new(capacity)) }
    }

    pub fn get(&self, stream: StreamId) -> Option<(SeenStream, AnyState)> {
        self.states().get(&stream).cloned()
    }

    /// Keeps a state unless a newer one is kept already.
    pub fn put(&self, seen: SeenStream, state: AnyState) {
        let mut states = self.states();
        let is_newer = |kept: &SeenStream| (kept.version, kept.as_of) < (seen.version, seen.as_of);
        if states.peek(&seen.stream).is_none_or(|(kept, _)| is_newer(kept)) {
            states.put(seen.stream, (seen, state));
        }
    }

    pub fn remove(&self, stream: StreamId) {
        self.states().pop(&stream);
    }

    fn states(&self) -> MutexGuard<'_, States> {
        // Every change to the map is one call, so a panic elsewhere leaves it whole.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
