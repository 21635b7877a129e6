//! Connections to Redis.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, RedisResult};

/// A connection that is made with the first command. Each command is one attempt: callers pause between attempts, or do
/// without Redis.
pub(super) fn lazy(client: &Client, patience: Duration) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_number_of_retries(0)
        .set_connection_timeout(Some(patience))
        .set_response_timeout(Some(patience));
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

/// No answer came in time.
pub(super) fn timed_out() -> RedisError {
    Error::from(ErrorKind::TimedOut).into()
}

/// The other end has closed the connection.
pub(super) fn lost() -> RedisError {
    Error::from(ErrorKind::ConnectionReset).into()
}
