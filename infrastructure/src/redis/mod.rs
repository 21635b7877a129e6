//! Redis: signals between nodes, and counts that all nodes share. Both do without it during an outage.

mod connection;
mod link;
mod rate_limits;
mod wake_ups;

pub use rate_limits::{RateLimiterOptions, RedisRateLimiter};
pub use wake_ups::{RedisWakeUps, WakeUpOptions};
