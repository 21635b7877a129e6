//! Places in Redis, for all nodes together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{PlaceLimit, Places};
use async_trait::async_trait;
use redis::Cmd;
use uuid::Uuid;

use super::counts::SharedCounts;
use crate::rate_limits::{MemoryPlaces, millis, whole_millis};

/// The holders of a key are a sorted set; the score is the end of their time, by the callers' clock. The key expires by itself.
/// A clock that is set back lets nobody hold a place for longer than `held_for`.
const TAKE: &str = "
local now, ends, most, holder = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for _, early in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[2], '+inf')) do
  redis.call('ZADD', KEYS[1], ends, early)
end
if not redis.call('ZSCORE', KEYS[1], holder) and redis.call('ZCARD', KEYS[1]) >= most then return 0 end
redis.call('ZADD', KEYS[1], ends, holder)
redis.call('PEXPIRE', KEYS[1], ends - now)
return 1";

const PASS_ON: &str = "
redis.call('ZREM', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2] - ARGV[1])
return 1";

const GIVE_BACK: &str = "
for _, holder in ipairs(ARGV) do redis.call('ZREM', KEYS[1], holder) end
return 1";

const HOLDERS: &str = "return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf')";

/// Keeps places in Redis, and its own in memory, too: those count while Redis fails or does not answer in time.
pub struct RedisPlaces {
    counts: Arc<SharedCounts>,
    own: MemoryPlaces,
}

impl fmt::Debug for RedisPlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisPlaces").field("counts", &self.counts).finish_non_exhaustive()
    }
}

impl RedisPlaces {
    /// Counts over this connection.
    #[must_use]
    pub fn over(counts: Arc<SharedCounts>) -> Self {
        let own = MemoryPlaces::new(Arc::clone(counts.clock()));
        Self { counts, own }
    }

    fn script(&self, script: &str, key: &str) -> Cmd {
        self.counts.script(script, ("places:", key))
    }

    /// Now and the end of a time that begins now, in milliseconds since the Unix epoch.
    fn span(&self, held_for: Duration) -> (i64, i64) {
        let now = millis(self.counts.clock().now());
        (now, now.saturating_add(whole_millis(held_for)))
    }
}

#[async_trait]
impl Places for RedisPlaces {
    async fn take(&self, key: &str, holder: Uuid, limit: PlaceLimit) -> bool {
        let has_own = self.own.take(key, holder, limit).await;
        let (now, ends) = self.span(limit.held_for);
        // Also where the own ones are all taken: the clock may have been set back.
        let most = if has_own { limit.most } else { 0 };
        let mut command = self.script(TAKE, key);
        command.arg(now).arg(ends).arg(most).arg(holder.to_string());
        let has_shared = self.counts.ask(&command).await.unwrap_or(true);
        if has_own && !has_shared {
            self.own.give_back(key, &[holder]).await;
        }
        has_own && has_shared
    }

    async fn pass_on(&self, key: &str, (from, to): (Uuid, Uuid), held_for: Duration) {
        self.own.pass_on(key, (from, to), held_for).await;
        let (now, ends) = self.span(held_for);
        let mut command = self.script(PASS_ON, key);
        command.arg(now).arg(ends).arg(from.to_string()).arg(to.to_string());
        self.counts.ask::<()>(&command).await;
    }

    async fn give_back(&self, key: &str, holders: &[Uuid]) {
        self.own.give_back(key, holders).await;
        let mut command = self.script(GIVE_BACK, key);
        for holder in holders {
            command.arg(holder.to_string());
        }
        self.counts.ask::<()>(&command).await;
    }

    async fn holders(&self, key: &str) -> Vec<Uuid> {
        let mut holders = self.own.holders(key).await;
        let mut command = self.script(HOLDERS, key);
        command.arg(millis(self.counts.clock().now()));
        let shared: Vec<String> = self.counts.ask(&command).await.unwrap_or_default();
        holders.extend(shared.iter().filter_map(|holder| Uuid::parse_str(holder).ok()));
        holders.sort_unstable();
        holders.dedup();
        holders
    }
}
