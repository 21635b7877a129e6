use std::any::Any;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::ports::{Sequence, StreamId};

/// A state of some aggregate, shared.
pub(super) type AnyState = Arc<dyn Any + Send + Sync>;

/// The states of hot aggregates. An old one is no harm: the log's version check finds it.
pub(super) struct AggregateCache {
    states: Mutex<LruCache<StreamId, (Sequence, AnyState)>>,
}

impl AggregateCache {
    pub fn new(capacity: usize) -> Self {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        Self { states: Mutex::new(LruCache::new(capacity)) }
    }

    pub fn get(&self, stream: StreamId) -> Option<(Sequence, AnyState)> {
        self.states().get(&stream).cloned()
    }

    /// Keeps a state unless a newer one is kept already.
    pub fn put(&self, stream: StreamId, version: Sequence, state: AnyState) {
        let mut states = self.states();
        if states.peek(&stream).is_none_or(|(kept, _)| *kept < version) {
            states.put(stream, (version, state));
        }
    }

    pub fn remove(&self, stream: StreamId) {
        self.states().pop(&stream);
    }

    fn states(&self) -> MutexGuard<'_, LruCache<StreamId, (Sequence, AnyState)>> {
        // Every change to the map is one call, so a panic elsewhere leaves it whole.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
