//! Redis: signals and passing messages between nodes, and counts that all nodes share. All do without it during an outage.

mod connection;
mod fanout;
mod link;
mod listener;
mod rate_limits;
mod wake_ups;

pub use fanout::{FanoutOptions, RedisFanout};
pub use rate_limits::{RateLimiterOptions, RedisRateLimiter};
pub use wake_ups::{RedisWakeUps, WakeUpOptions};
