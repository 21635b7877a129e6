//! Limits on how often a caller may do something.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

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

/// At most `most` holders at a time, each for `held_for` at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceLimit {
    pub most: u32,
    pub held_for: Duration,
}

/// Places of which each key has a bounded number, shared by all nodes with the same store. Each is held by an id, until it is
/// given back or its time is over.
#[async_trait]
pub trait Places: Send + Sync + 'static {
    /// Gives a place of a key to a holder. Returns `false` if others hold all of them.
    async fn take(&self, key: &str, holder: Uuid, limit: PlaceLimit) -> bool;

    /// Passes a place on to another holder, who keeps it for this long from now.
    async fn pass_on(&self, key: &str, places: (Uuid, Uuid), held_for: Duration);

    /// Frees the places of these holders.
    async fn give_back(&self, key: &str, holders: &[Uuid]);

    /// The holders of places of a key.
    async fn holders(&self, key: &str) -> Vec<Uuid>;
}
