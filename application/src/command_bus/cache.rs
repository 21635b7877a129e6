use std::any::Any;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::ports::{SeenStream, StreamId};

/// A state of an aggregate of any kind.
pub(super) type AnyState = Arc<dyn Any + Send + Sync>;

/// The states of recently used aggregates. An outdated state does no harm: the append's version check finds it.
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

    /// Keeps a state unless a newer one is kept.
    pub fn put(&self, seen: SeenStream, state: AnyState) {
        let mut states = self.states();
        if states.peek(&seen.stream).is_none_or(|(kept, _)| kept.freshness < seen.freshness) {
            states.put(seen.stream, (seen, state));
        }
    }

    pub fn remove(&self, stream: StreamId) {
        self.states().pop(&stream);
    }

    fn states(&self) -> MutexGuard<'_, States> {
        // Each change of the map is one call, so a poisoned lock still guards a consistent map.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ports::Freshness;
    use domain::aggregate::AggregateType;

    #[test]
    fn newest_state_of_the_newest_history_is_kept() {
        let cache = AggregateCache::new(8);
        let stream = StreamId { kind: AggregateType::Tag, id: Uuid::nil() };
        let at = |generation, version, as_of| Freshness::new(generation, as_of).at_version(version);
        let kept = |freshness| {
            cache.put(SeenStream { stream, freshness }, Arc::new(()));
            cache.get(stream).unwrap().0.freshness
        };
        assert_eq!(kept(at(0, 5, 9)), at(0, 5, 9));
        assert_eq!(kept(at(0, 4, 10)), at(0, 5, 9), "a slow reader comes late");
        assert_eq!(kept(at(0, 5, 11)), at(0, 5, 11));
        assert_eq!(kept(at(1, 4, 10)), at(1, 4, 10), "the fifth event was rolled back");
        assert_eq!(kept(at(0, 6, 12)), at(1, 4, 10));
    }
}
