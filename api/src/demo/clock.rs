//! A clock that the demonstration moves through its day.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use application::ports::Clock;
use async_trait::async_trait;
use domain::time::Timestamp;

/// Advances by a microsecond with each reading, and sleeps in real time. Clones share the time.
#[derive(Clone)]
pub struct DemoClock {
    micros: Arc<AtomicI64>,
    real: Arc<dyn Clock>,
}

impl DemoClock {
    /// A clock that begins at a time; `real` measures its sleep.
    pub fn at(time: Timestamp, real: Arc<dyn Clock>) -> Self {
        Self { micros: Arc::new(AtomicI64::new(time.as_micros())), real }
    }

    /// Moves the clock forward; an earlier time has no effect.
    pub fn set(&self, time: Timestamp) {
        self.micros.fetch_max(time.as_micros(), Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.fetch_add(1, Ordering::SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        self.real.sleep(duration).await;
    }
}
