//! A clock that is set from one moment of the day to the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use application::ports::Clock;
use async_trait::async_trait;
use domain::time::Timestamp;
use infrastructure::system::SystemClock;

/// Time goes on by a microsecond whenever somebody asks. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct DemoClock(Arc<AtomicI64>);

impl DemoClock {
    /// A clock that shows this time.
    pub fn at(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(time.as_micros())))
    }

    /// Sets it forward; never back.
    pub fn set(&self, time: Timestamp) {
        self.0.fetch_max(time.as_micros(), Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(1, Ordering::SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration).await;
    }
}
