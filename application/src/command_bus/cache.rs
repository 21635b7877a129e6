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
        let is_newer =
            |kept: &SeenStream| (kept.setbacks, kept.version, kept.as_of) < (seen.setbacks, seen.version, seen.as_of);
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use domain::aggregate::AggregateType;

    #[test]
    fn newest_state_of_the_newest_history_is_kept() {
        let cache = AggregateCache::new(8);
        let stream = StreamId { kind: AggregateType::Tag, id: Uuid::nil() };
        let kept = |(setbacks, version, as_of)| {
            cache.put(SeenStream { stream, version, as_of, setbacks }, Arc::new(()));
            let (seen, _) = cache.get(stream).unwrap();
            (seen.setbacks, seen.version, seen.as_of)
        };
        assert_eq!(kept((0, 5, 9)), (0, 5, 9));
        assert_eq!(kept((0, 4, 10)), (0, 5, 9), "somebody was slow");
        assert_eq!(kept((0, 5, 11)), (0, 5, 11));
        assert_eq!(kept((1, 4, 10)), (1, 4, 10), "the fifth was taken back");
        assert_eq!(kept((0, 6, 12)), (1, 4, 10));
    }
}
