//! Time, ids and signals between nodes.

use std::time::Duration;

use async_trait::async_trait;
use domain::time::Timestamp;
use uuid::Uuid;

use super::event_log::Position;

/// A failure of a store other than the log.
#[derive(Debug, thiserror::Error)]
#[error("{store} is unavailable")]
pub struct StoreError {
    pub store: &'static str,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Time, which tests can replace.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The present time, in UTC.
    fn now(&self) -> Timestamp;

    /// The time that has passed since some moment, by a clock that nobody sets. Clocks of tests are not set, either.
    fn elapsed(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.now().as_micros()).unwrap_or_default())
    }

    /// Waits at least this long.
    async fn sleep(&self, duration: Duration);
}

/// Ids and random numbers, which tests can replace.
pub trait Ids: Send + Sync + 'static {
    /// A UUIDv7: later ids sort after earlier ones.
    fn new_uuid(&self) -> Uuid;

    /// A random number in `0.0..1.0`, for jitter.
    fn fraction(&self) -> f64;
}

/// Passes on what nobody stores, such as that somebody is typing, to all nodes, this one included. Each message may be lost:
/// it is about the moment.
pub trait Fanout: Send + Sync + 'static {
    /// Hands a message over without waiting for anybody.
    fn send(&self, message: &str);
}

/// Announces to other nodes that the log has grown. A hint: a lost one only costs time.
#[async_trait]
pub trait WakeUps: Send + Sync + 'static {
    /// Announces the last position without waiting for the other nodes.
    fn announce(&self, position: Position);
}
