//! Counting in Redis, for all nodes together.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use application::ports::{Clock, Rate, RateLimit, RateLimiter};
use async_trait::async_trait;
use redis::aio::ConnectionManager;
use redis::{Client, RedisError, RedisResult};
use tokio::time::timeout;

use super::connection;
use super::link::{Change, Link, LinkStatus};
use crate::rate_limits::{MemoryRateLimiter, Step, Window, hashed, length, millis};

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

/// Where and how to count.
#[derive(Clone)]
pub struct RateLimiterOptions {
    /// Such as `redis://127.0.0.1:6379`.
    pub url: String,
    /// The prefix of all keys: shared by the nodes of one installation, and used by no other.
    pub prefix: String,
    /// How long a caller waits for Redis.
    pub patience: Duration,
    /// Decides when windows end.
    pub clock: Arc<dyn Clock>,
}

impl RateLimiterOptions {
    /// The prefix of the only installation on a Redis.
    pub const PREFIX: &str = "livechatlog:rate:";

    /// Enough for any Redis nearby, and short for a waiting caller.
    pub const PATIENCE: Duration = Duration::from_millis(100);
}

impl fmt::Debug for RateLimiterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("RateLimiterOptions").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Counts in Redis. While Redis fails or does not answer in time, this node counts for itself.
pub struct RedisRateLimiter {
    client: Client,
    // Replaced after trouble: a connection whose other end is silent would be kept for many minutes.
    manager: Mutex<ConnectionManager>,
    link: Link<1>,
    fallback: MemoryRateLimiter,
    options: RateLimiterOptions,
}

impl fmt::Debug for RedisRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRateLimiter").field("options", &self.options).finish_non_exhaustive()
    }
}

impl RedisRateLimiter {
    /// Redis need not be reachable yet. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the URL is not valid.
    pub fn new(options: RateLimiterOptions) -> RedisResult<Self> {
        let client = Client::open(options.url.as_str())?;
        let manager = Mutex::new(connection::lazy(&client, options.patience)?);
        let fallback = MemoryRateLimiter::new(Arc::clone(&options.clock));
        Ok(Self { client, manager, link: Link::new(), fallback, options })
    }

    /// `None` when this node has to count for itself.
    async fn step(&self, step: Step, key: &str, rate: Rate) -> Option<RateLimit> {
        if !self.link.may_try(&*self.options.clock) {
            return None;
        }
        let answer = timeout(self.options.patience, self.ask(step, key, rate)).await;
        match answer.unwrap_or_else(|_| Err(connection::timed_out())) {
            Ok(standing) => {
                self.works();
                Some(standing)
            }
            Err(error) => {
                self.fails(&error);
                None
            }
        }
    }

    async fn ask(&self, step: Step, key: &str, rate: Rate) -> RedisResult<RateLimit> {
        // A connection that broke unnoticed fails once and is replaced. That alone is no outage.
        match self.ask_once(step, key, rate).await {
            Err(error) if error.is_io_error() => self.ask_once(step, key, rate).await,
            answer => answer,
        }
    }

    async fn ask_once(&self, step: Step, key: &str, rate: Rate) -> RedisResult<RateLimit> {
        let now = millis(self.options.clock.now());
        let mut manager = self.manager.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let by = match step {
            Step::Take => 1,
            Step::GiveBack => -1,
        };
        let mut command = redis::cmd("EVAL");
        command.arg(STEP).arg(1).arg(format!("{}{}", self.options.prefix, hex::encode(hashed(key))));
        command.arg(now).arg(length(rate)).arg(rate.times).arg(by);
        let (allowed, count, ends): (bool, u32, i64) = command.query_async(&mut manager).await?;
        Ok(Window { ends, count }.standing(allowed, rate, now))
    }

    fn works(&self) {
        if let Some(Change { from: LinkStatus::Down, .. }) = self.link.note(0, true, &*self.options.clock) {
            tracing::info!("rate limits are counted in Redis again");
        }
    }

    fn fails(&self, error: &RedisError) {
        if let Ok(fresh) = connection::lazy(&self.client, self.options.patience) {
            *self.manager.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        if self.link.note(0, false, &*self.options.clock).is_some() {
            tracing::warn!(
                error = error as &dyn Error,
                "Redis is unavailable: this node counts rate limits for itself"
            );
        }
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
