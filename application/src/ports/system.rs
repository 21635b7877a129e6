//! Time, ids and signals between nodes.

use std::time::Duration;

use async_trait::async_trait;
use domain::time::Timestamp;
use uuid::Uuid;

use super::event_log::Position;

/// A store beside the log did not work.
#[derive(Debug, thiserror::Error)]
#[error("{store} is unavailable")]
pub struct StoreError {
    pub store: &'static str,
    /// The cause.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Tells the time and waits.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The present time.
    fn now(&self) -> Timestamp;

    /// Waits for a real span of time.
    async fn sleep(&self, duration: Duration);
}

/// Makes ids.
pub trait Ids: Send + Sync + 'static {
    /// A new UUIDv7: later ids sort after earlier ones.
    fn new_uuid(&self) -> Uuid;

    /// A random number in `0.0..1.0`, for jitter.
    fn fraction(&self) -> f64;
}

/// Tells other nodes that the log has grown. A hint: losing one only costs time.
#[async_trait]
pub trait WakeUps: Send + Sync + 'static {
    /// Tells the others, without waiting for them.
    fn announce(&self, position: Position);
}
