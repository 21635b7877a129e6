//! A clock that tests can set forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use application::ports::Clock;
use async_trait::async_trait;
use domain::time::Timestamp;
use infrastructure::system::SystemClock;

/// Real time plus an offset. Clones share the offset: one stays with the test, one goes into the program.
#[derive(Clone, Debug, Default)]
pub struct TestClock {
    offset_micros: Arc<AtomicU64>,
}

impl TestClock {
    /// A clock with the real time, for now.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the clock forward. A sleeping task does not wake earlier: that span is real.
    ///
    /// # Panics
    /// When the span is longer than 500,000 years.
    pub fn advance(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).expect("a span that fits into 64 bits of microseconds");
        self.offset_micros.fetch_add(micros, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus(Duration::from_micros(self.offset_micros.load(Ordering::SeqCst)))
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_set_forward_together() {
        let clock = TestClock::new();
        let in_program = clock.clone();
        assert!(in_program.now().since(SystemClock.now()) < Duration::from_secs(1));
        clock.advance(Duration::from_secs(3_600));
        clock.advance(Duration::from_secs(3_600));
        let ahead = in_program.now().since(SystemClock.now());
        assert!(ahead > Duration::from_secs(7_199) && ahead < Duration::from_secs(7_201), "{ahead:?}");
    }
}
