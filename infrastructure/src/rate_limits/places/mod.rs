use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::ports::{Clock, PlaceLimit, Places};
use async_trait::async_trait;
use uuid::Uuid;

use super::window::{Millis, millis, whole_millis};
use super::{HashedKey, hashed};

/// Places whose time is over are looked for whenever there are this many more keys.
const SWEEP_AT: usize = 1_024;

/// Holders, each with the end of its time.
type Held = HashMap<Uuid, Millis>;

/// Keeps the places of this process in its memory.
pub struct MemoryPlaces {
    clock: Arc<dyn Clock>,
    by_key: Mutex<HashMap<HashedKey, Held>>,
}

impl MemoryPlaces {
    /// All places are free.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, by_key: Mutex::default() }
    }

    fn now(&self) -> Millis {
        millis(self.clock.now())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<HashedKey, Held>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryPlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryPlaces").finish_non_exhaustive()
    }
}

#[async_trait]
impl Places for MemoryPlaces {
    async fn take(&self, key: &str, holder: Uuid, limit: PlaceLimit) -> bool {
        let now = self.now();
        let ends = now.saturating_add(whole_millis(limit.held_for));
        let mut by_key = self.lock();
        if by_key.len() % SWEEP_AT == SWEEP_AT - 1 {
            by_key.retain(|_, held| {
                held.retain(|_, ends| *ends > now);
                !held.is_empty()
            });
        }
        let held = by_key.entry(hashed(key)).or_default();
        held.retain(|_, until| *until > now);
        // Of a clock that is set back; nobody holds a place for longer than that.
        held.values_mut().for_each(|until| *until = (*until).min(ends));
        let has_room = held.contains_key(&holder) || held.len() < limit.most as usize;
        if has_room {
            held.insert(holder, ends);
        }
        has_room
    }

    async fn pass_on(&self, key: &str, (from, to): (Uuid, Uuid), held_for: Duration) {
        let ends = self.now().saturating_add(whole_millis(held_for));
        let mut by_key = self.lock();
        let held = by_key.entry(hashed(key)).or_default();
        held.remove(&from);
        held.insert(to, ends);
    }

    async fn give_back(&self, key: &str, holders: &[Uuid]) {
        let mut by_key = self.lock();
        if let Some(held) = by_key.get_mut(&hashed(key)) {
            held.retain(|holder, _| !holders.contains(holder));
        }
    }

    async fn holders(&self, key: &str) -> Vec<Uuid> {
        let now = self.now();
        let by_key = self.lock();
        let held = by_key.get(&hashed(key)).into_iter().flatten();
        held.filter(|(_, ends)| **ends > now).map(|(holder, _)| *holder).collect()
    }
}

#[cfg(test)]
mod tests;
