//! Redis: signals and passing messages between nodes, and counts that all nodes share. All do without it during an outage.

mod channel;
mod connection;
mod counts;
mod fanout;
mod link;
mod listener;
mod places;
mod rate_limits;
mod tasks;
mod wake_ups;

pub use channel::ChannelOptions;
pub use counts::{SharedCounts, SharedCountsOptions};
pub use fanout::RedisFanout;
pub use places::RedisPlaces;
pub use rate_limits::RedisRateLimiter;
pub use wake_ups::RedisWakeUps;
