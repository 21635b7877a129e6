//! The connection over which the nodes count together.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use application::ports::Clock;
use redis::aio::ConnectionManager;
use redis::{Client, Cmd, FromRedisValue, RedisError, RedisResult};
use tokio::time::timeout;

use super::connection;
use super::link::{Change, Link, LinkStatus};
use crate::rate_limits::hashed;

/// The Redis of an installation, and how long a caller waits for it.
#[derive(Clone)]
pub struct SharedCountsOptions {
    /// Such as `redis://127.0.0.1:6379`.
    pub url: String,
    /// The prefix of all keys: shared by the nodes of one installation, and used by no other.
    pub prefix: String,
    /// How long a caller waits for Redis.
    pub patience: Duration,
    /// Decides when counts end.
    pub clock: Arc<dyn Clock>,
}

impl SharedCountsOptions {
    /// The prefix of the only installation on a Redis.
    pub const PREFIX: &str = "livechatlog:rate:";

    /// Enough for any Redis nearby, and short for a waiting caller.
    pub const PATIENCE: Duration = Duration::from_millis(100);
}

impl fmt::Debug for SharedCountsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("SharedCountsOptions").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Counts in Redis that all nodes share. After a failure Redis is left alone for a second.
pub struct SharedCounts {
    client: Client,
    // Replaced after trouble: a connection whose other end is silent would be kept for many minutes.
    manager: Mutex<ConnectionManager>,
    link: Link<1>,
    options: SharedCountsOptions,
}

impl fmt::Debug for SharedCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedCounts").field("options", &self.options).finish_non_exhaustive()
    }
}

impl SharedCounts {
    /// Redis need not be reachable yet. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the URL is not valid.
    pub fn new(options: SharedCountsOptions) -> RedisResult<Self> {
        let client = Client::open(options.url.as_str())?;
        let manager = Mutex::new(connection::lazy(&client, options.patience)?);
        Ok(Self { client, manager, link: Link::new(), options })
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.options.clock
    }

    /// A script that Redis runs without interleaving other commands, on the key of a kind and a name. Arguments follow.
    pub(super) fn script(&self, script: &str, (kind, name): (&str, &str)) -> Cmd {
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(1).arg(format!("{}{kind}{}", self.options.prefix, hex::encode(hashed(name))));
        command
    }

    /// `None` when this node has to count for itself.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        if !self.link.may_try(&*self.options.clock) {
            return None;
        }
        let answer = timeout(self.options.patience, self.try_twice(command)).await;
        match answer.unwrap_or_else(|_| Err(connection::timed_out())) {
            Ok(answer) => {
                self.works();
                Some(answer)
            }
            Err(error) => {
                self.fails(&error);
                None
            }
        }
    }

    async fn try_twice<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        // A connection that broke unnoticed fails once and is replaced. That alone is no outage.
        match self.try_once(command).await {
            Err(error) if error.is_io_error() => self.try_once(command).await,
            answer => answer,
        }
    }

    async fn try_once<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let mut manager = self.manager.lock().unwrap_or_else(PoisonError::into_inner).clone();
        command.query_async(&mut manager).await
    }

    fn works(&self) {
        if let Some(Change { from: LinkStatus::Down, .. }) = self.link.note(0, true, &*self.options.clock) {
            tracing::info!("limits are counted in Redis again");
        }
    }

    fn fails(&self, error: &RedisError) {
        if let Ok(fresh) = connection::lazy(&self.client, self.options.patience) {
            *self.manager.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        if self.link.note(0, false, &*self.options.clock).is_some() {
            tracing::warn!(error = error as &dyn Error, "Redis is unavailable: this node counts limits for itself");
        }
    }
}
