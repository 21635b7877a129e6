//! Limits on how often a caller may do something.

use std::time::Duration;

use async_trait::async_trait;

/// At most `times` requests per `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub times: u32,
    /// At least a second.
    pub window: Duration,
}

/// The state of a caller's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Whether this request is within the limit.
    pub allowed: bool,
    /// Requests per window.
    pub limit: u32,
    /// Requests left in this window.
    pub remaining: u32,
    /// Seconds until the window ends; at least 1.
    pub reset_seconds: u32,
}

/// Counts requests in fixed windows: cheap, exact within a window, and shared by all nodes with the same store.
#[async_trait]
pub trait RateLimiter: Send + Sync + 'static {
    /// Counts a request of a key. A request beyond the rate is refused and not counted.
    async fn take(&self, key: &str, rate: Rate) -> RateLimit;

    /// Takes back a request that was counted but must not count, unless its window has ended.
    async fn give_back(&self, key: &str, rate: Rate);
}
