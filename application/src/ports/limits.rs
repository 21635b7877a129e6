//! How often somebody may do something.

use std::time::Duration;

use async_trait::async_trait;

/// So many times in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many times.
    pub times: u32,
    /// In how long; at least a second.
    pub window: Duration,
}

/// Where a caller stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Whether this time is within the rate.
    pub allowed: bool,
    /// How many times in a window.
    pub limit: u32,
    /// How many times are left in this one.
    pub remaining: u32,
    /// In how many seconds the window ends; at least 1.
    pub reset_seconds: u32,
}

/// Counts in fixed windows: cheap, exact within a window, and the same on all nodes that share a store.
#[async_trait]
pub trait RateLimiter: Send + Sync + 'static {
    /// Counts one time more for a key; what is beyond the rate is refused and not counted.
    async fn take(&self, key: &str, rate: Rate) -> RateLimit;

    /// Where the key stands, without counting.
    async fn look(&self, key: &str, rate: Rate) -> RateLimit;

    /// Uncounts a time that was allowed and turned out not to count, unless its window has ended.
    async fn give_back(&self, key: &str, rate: Rate);
}
