//! The Redis between nodes.

use std::time::Duration;

use application::ports::Clock;
use domain::time::Timestamp;
use redis::aio::MultiplexedConnection;
use redis::{Client, RedisError, RedisResult, cmd};
use tokio::time::timeout;

use super::{Finding, clocks};

const SUBJECT: &str = "Redis";
const PATIENCE: Duration = Duration::from_secs(3);

/// Looks at the Redis with this address.
pub async fn inspect_redis(url: &str, clock: &dyn Clock) -> Vec<Finding> {
    match timeout(PATIENCE, inspect(url, clock)).await {
        Ok(Ok(findings)) => findings,
        Ok(Err(error)) => vec![unreachable(&error.to_string())],
        Err(_) => vec![unreachable("no answer within 3 seconds")],
    }
}

fn unreachable(cause: &str) -> Finding {
    let advice = "see that REDIS_URL is right and Redis runs; until then nodes find each other's events by polling, and \
                  each counts limits for itself";
    Finding::failed(SUBJECT, cause, advice)
}

async fn inspect(url: &str, clock: &dyn Clock) -> Result<Vec<Finding>, RedisError> {
    let mut connection = Client::open(url)?.get_multiplexed_async_connection().await?;
    let info: String = cmd("INFO").query_async(&mut connection).await?;
    let value = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default().trim().to_owned()
    };
    let before = clock.now();
    let theirs = time(&mut connection).await?;
    let after = clock.now();
    let (version, policy, limit) = (value("redis_version"), value("maxmemory_policy"), value("maxmemory"));
    let memory = if policy.starts_with("allkeys-") && limit != "0" {
        let advice = "give livechatlog a Redis of its own, or set maxmemory-policy to noeviction or volatile-ttl";
        Finding::warning(SUBJECT, format!("version {version}; it may forget limits early ({policy})"), advice)
    } else {
        Finding::ok(SUBJECT, format!("version {version}"))
    };
    Ok(vec![memory, clocks::compare("clock of Redis", theirs, before, after)])
}

async fn time(connection: &mut MultiplexedConnection) -> RedisResult<Timestamp> {
    let (seconds, micros): (i64, i64) = cmd("TIME").query_async(connection).await?;
    Ok(Timestamp::from_micros(seconds * 1_000_000 + micros))
}
