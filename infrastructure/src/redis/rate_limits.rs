//! Counting in Redis, for all nodes together.

use std::fmt;
use std::sync::Arc;

use application::ports::{Rate, RateLimit, RateLimiter};
use async_trait::async_trait;
use redis::RedisResult;

use super::counts::{SharedCounts, SharedCountsOptions};
use crate::rate_limits::{MemoryRateLimiter, Step, Window, length, millis};

/// `Window::step` for all nodes. Redis runs a script without interleaving other commands. The key expires by itself, but
/// the callers' clock decides whether its window has ended.
const STEP: &str = "
local now, length, times, step = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('HMGET', KEYS[1], 'ends', 'count')
local ends, count = tonumber(kept[1] or 0), tonumber(kept[2] or 0)
if ends <= now then ends, count = now + length, 0 end
ends = math.min(ends, now + length)
local allowed = count < times
if (step > 0 and allowed) or (step < 0 and count > 0) then
  count = count + step
  if count > 0 then
    redis.call('HSET', KEYS[1], 'ends', string.format('%.0f', ends), 'count', count)
    redis.call('PEXPIRE', KEYS[1], ends - now)
  else
    redis.call('DEL', KEYS[1])
  end
end
return {allowed and 1 or 0, count, ends}";

/// Counts in Redis. While Redis fails or does not answer in time, this node counts for itself.
pub struct RedisRateLimiter {
    counts: Arc<SharedCounts>,
    fallback: MemoryRateLimiter,
}

impl fmt::Debug for RedisRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRateLimiter").field("counts", &self.counts).finish_non_exhaustive()
    }
}

impl RedisRateLimiter {
    /// Counts over this connection.
    #[must_use]
    pub fn over(counts: Arc<SharedCounts>) -> Self {
        let fallback = MemoryRateLimiter::new(Arc::clone(counts.clock()));
        Self { counts, fallback }
    }

    /// Counts over a connection of its own. See [`SharedCounts::new`].
    ///
    /// # Errors
    /// When the URL is not valid.
    pub fn new(options: SharedCountsOptions) -> RedisResult<Self> {
        Ok(Self::over(Arc::new(SharedCounts::new(options)?)))
    }

    /// `None` when this node has to count for itself.
    async fn step(&self, step: Step, key: &str, rate: Rate) -> Option<RateLimit> {
        let now = millis(self.counts.clock().now());
        let by = match step {
            Step::Take => 1,
            Step::GiveBack => -1,
        };
        let mut command = self.counts.script(STEP, ("", key));
        command.arg(now).arg(length(rate)).arg(rate.times).arg(by);
        let (allowed, count, ends): (bool, u32, i64) = self.counts.ask(&command).await?;
        Some(Window { ends, count }.standing(allowed, rate, now))
    }
}

#[async_trait]
impl RateLimiter for RedisRateLimiter {
    async fn take(&self, key: &str, rate: Rate) -> RateLimit {
        match self.step(Step::Take, key, rate).await {
            Some(standing) => standing,
            None => self.fallback.take(key, rate).await,
        }
    }

    async fn give_back(&self, key: &str, rate: Rate) {
        if self.step(Step::GiveBack, key, rate).await.is_none() {
            self.fallback.give_back(key, rate).await;
        }
    }
}
