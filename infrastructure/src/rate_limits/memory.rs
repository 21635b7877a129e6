//! The twin for a single node.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use application::ports::{Clock, Rate, RateLimit, RateLimiter};
use async_trait::async_trait;

use super::window::{Millis, Step, Window, millis};
use super::{HashedKey, hashed};

/// About 8 MB.
const MOST_KEYS: usize = 100_000;
const SWEEP_EVERY: Millis = 60_000;

/// Counts in the memory of this process.
///
/// It keeps 100,000 keys at most. When they are all in use, those whose windows end soonest are forgotten: a flood of
/// addresses pushes out short limits rather than the long ones that brake the guessing of passwords.
pub struct MemoryRateLimiter {
    clock: Arc<dyn Clock>,
    windows: Mutex<Windows>,
}

impl MemoryRateLimiter {
    /// Counts nothing yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, windows: Mutex::new(Windows::new(MOST_KEYS)) }
    }

    fn step(&self, step: Step, key: &str, rate: Rate) -> RateLimit {
        let now = millis(self.clock.now());
        self.windows.lock().unwrap_or_else(PoisonError::into_inner).step(step, hashed(key), rate, now)
    }
}

impl fmt::Debug for MemoryRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRateLimiter").finish_non_exhaustive()
    }
}

#[async_trait]
impl RateLimiter for MemoryRateLimiter {
    async fn take(&self, key: &str, rate: Rate) -> RateLimit {
        self.step(Step::Take, key, rate)
    }

    async fn give_back(&self, key: &str, rate: Rate) {
        self.step(Step::GiveBack, key, rate);
    }
}

struct Windows {
    by_key: HashMap<HashedKey, Window>,
    most: usize,
    swept: Millis,
}

impl Windows {
    fn new(most: usize) -> Self {
        Self { by_key: HashMap::new(), most, swept: 0 }
    }

    fn step(&mut self, step: Step, key: HashedKey, rate: Rate, now: Millis) -> RateLimit {
        let mut window = self.by_key.get(&key).copied().unwrap_or_else(|| Window::new(rate, now));
        let allowed = window.step(step, rate, now);
        if window.count > 0 {
            self.keep(key, window, now);
        } else {
            self.by_key.remove(&key);
        }
        window.standing(allowed, rate, now)
    }

    fn keep(&mut self, key: HashedKey, window: Window, now: Millis) {
        let is_full = self.by_key.len() >= self.most && !self.by_key.contains_key(&key);
        if is_full || (now - self.swept).abs() >= SWEEP_EVERY {
            self.swept = now;
            self.by_key.retain(|_, window| window.ends > now);
        }
        if is_full && self.by_key.len() >= self.most {
            self.forget_a_tenth();
        }
        self.by_key.insert(key, window);
    }

    /// More than one, so that a flood does not look through all keys each time.
    fn forget_a_tenth(&mut self) {
        let mut by_end: Vec<_> = self.by_key.iter().map(|(key, window)| (window.ends, *key)).collect();
        let tenth = (by_end.len() / 10).clamp(1, by_end.len());
        by_end.select_nth_unstable(tenth - 1);
        for (_, key) in &by_end[..tenth] {
            self.by_key.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: Rate = Rate { times: 1, window: Duration::from_secs(60) };
    const HOUR: Rate = Rate { times: 1, window: Duration::from_secs(3_600) };

    fn key(number: u32) -> HashedKey {
        hashed(&number.to_string())
    }

    #[test]
    fn flood_of_keys_stays_bounded_and_pushes_out_what_ends_soonest() {
        let mut windows = Windows::new(100);
        windows.step(Step::Take, hashed("brake"), HOUR, 0);
        for number in 0..10_000 {
            assert!(windows.step(Step::Take, key(number), MINUTE, i64::from(number)).allowed);
            assert!(windows.by_key.len() <= 100);
        }
        assert!(!windows.step(Step::Take, hashed("brake"), HOUR, 10_000).allowed);
        assert!(!windows.step(Step::Take, key(9_999), MINUTE, 10_000).allowed);
        assert!(windows.step(Step::Take, key(0), MINUTE, 10_000).allowed);
    }

    #[test]
    fn ended_windows_are_swept_without_a_flood() {
        let mut windows = Windows::new(100);
        for number in 0..50 {
            windows.step(Step::Take, key(number), MINUTE, 0);
        }
        windows.step(Step::Take, hashed("late"), MINUTE, 120_000);
        assert_eq!(windows.by_key.len(), 1);
    }

    #[test]
    fn giving_back_keeps_no_key() {
        let mut windows = Windows::new(100);
        windows.step(Step::GiveBack, key(2), MINUTE, 0);
        assert!(windows.by_key.is_empty());
    }

    #[test]
    fn clock_that_is_set_back_makes_nobody_wait_longer_than_a_window() {
        let mut windows = Windows::new(100);
        windows.step(Step::Take, key(1), MINUTE, 7_200_000);
        let standing = windows.step(Step::Take, key(1), MINUTE, 0);
        assert_eq!((standing.allowed, standing.reset_seconds), (false, 60));
        assert!(windows.step(Step::Take, key(1), MINUTE, 60_000).allowed);
    }
}
