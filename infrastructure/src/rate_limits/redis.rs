//! Counting in Redis, for all nodes together.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use application::ports::{Clock, Rate, RateLimit, RateLimiter};
use async_trait::async_trait;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, RedisResult};
use tokio::time::timeout;

use super::link::Link;
use super::window::{Step, Window, length, millis};
use super::{MemoryRateLimiter, hashed};

/// `Window::step` for all nodes, as one command: what Redis runs is not interleaved with what others ask of it. The key
/// goes away by itself; whether its window has ended is decided by the callers' clock all the same.
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
    /// What all keys begin with; nodes of one installation share it, and no other installation uses it.
    pub prefix: String,
    /// How long a caller waits for Redis.
    pub patience: Duration,
    /// Tells when windows end.
    pub clock: Arc<dyn Clock>,
}

impl RateLimiterOptions {
    /// The prefix where there is one installation on a Redis.
    pub const PREFIX: &str = "livechatlog:rate:";

    /// Enough for any Redis nearby, and little for who waits.
    pub const PATIENCE: Duration = Duration::from_millis(100);
}

impl fmt::Debug for RateLimiterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("RateLimiterOptions").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Counts in Redis. When Redis fails, or does not answer in time, this node counts for itself until it does.
pub struct RedisRateLimiter {
    client: Client,
    // Replaced after trouble: a connection whose other end is silent would be kept for many minutes.
    manager: Mutex<ConnectionManager>,
    link: Link,
    fallback: MemoryRateLimiter,
    options: RateLimiterOptions,
}

impl fmt::Debug for RedisRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRateLimiter").field("options", &self.options).finish_non_exhaustive()
    }
}

impl RedisRateLimiter {
    /// Redis need not be there yet. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the URL is none that this program can use.
    pub fn new(options: RateLimiterOptions) -> RedisResult<Self> {
        let client = Client::open(options.url.as_str())?;
        let manager = Mutex::new(connect(&client, options.patience)?);
        let fallback = MemoryRateLimiter::new(Arc::clone(&options.clock));
        Ok(Self { client, manager, link: Link::default(), fallback, options })
    }

    /// None when this node has to count for itself.
    async fn step(&self, step: Step, key: &str, rate: Rate) -> Option<RateLimit> {
        if !self.link.is_to_be_asked(millis(self.options.clock.now())) {
            return None;
        }
        let answer = timeout(self.options.patience, self.ask(step, key, rate)).await;
        match answer.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into())) {
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
        // A connection that broke unnoticed fails once and is replaced; that alone is no outage.
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
            Step::Look => 0,
            Step::GiveBack => -1,
        };
        let mut command = redis::cmd("EVAL");
        command.arg(STEP).arg(1).arg(format!("{}{}", self.options.prefix, hex::encode(hashed(key))));
        command.arg(now).arg(length(rate)).arg(rate.times).arg(by);
        let (allowed, count, ends): (bool, u32, i64) = command.query_async(&mut manager).await?;
        Ok(Window { ends, count }.standing(allowed, rate, now))
    }

    fn works(&self) {
        if self.link.note(true, millis(self.options.clock.now())) {
            tracing::info!("rate limits are counted in Redis again");
        }
    }

    fn fails(&self, error: &RedisError) {
        if let Ok(fresh) = connect(&self.client, self.options.patience) {
            *self.manager.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        if self.link.note(false, millis(self.options.clock.now())) {
            tracing::warn!(
                error = error as &dyn Error,
                "Redis is unavailable: this node counts rate limits for itself"
            );
        }
    }
}

/// Connects with the first command; each command is one attempt.
fn connect(client: &Client, patience: Duration) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_number_of_retries(0)
        .set_connection_timeout(Some(patience))
        .set_response_timeout(Some(patience));
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

#[async_trait]
impl RateLimiter for RedisRateLimiter {
    async fn take(&self, key: &str, rate: Rate) -> RateLimit {
        match self.step(Step::Take, key, rate).await {
            Some(standing) => standing,
            None => self.fallback.take(key, rate).await,
        }
    }

    async fn look(&self, key: &str, rate: Rate) -> RateLimit {
        match self.step(Step::Look, key, rate).await {
            Some(standing) => standing,
            None => self.fallback.look(key, rate).await,
        }
    }

    async fn give_back(&self, key: &str, rate: Rate) {
        if self.step(Step::GiveBack, key, rate).await.is_none() {
            self.fallback.give_back(key, rate).await;
        }
    }
}
