//! Redis: signals and passing messages between nodes, and counts that all nodes share. All do without it during an outage.

mod channel;
mod connection;
mod fanout;
mod link;
mod listener;
mod rate_limits;
mod tasks;
mod wake_ups;

pub use channel::ChannelOptions;
pub use fanout::RedisFanout;
pub use rate_limits::{RateLimiterOptions, RedisRateLimiter};
pub use wake_ups::RedisWakeUps;
