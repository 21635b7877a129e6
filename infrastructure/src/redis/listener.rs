//! Receives what is published on a channel.

use std::sync::Arc;
use std::time::Duration;

use application::backoff::Backoff;
use application::ports::{Clock, Ids};
use futures::StreamExt as _;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Client, Msg, RedisError, RedisResult};
use tokio::time::timeout;

use super::connection;

/// How long Redis may take to answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(1);

const PING_INTERVAL: Duration = Duration::from_secs(5);

/// The pauses between attempts to reach Redis.
pub(super) const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(5), jitter: 0.5 };

/// Listens to one channel.
pub(super) struct Listener {
    pub(super) client: Client,
    pub(super) channel: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
}

impl Listener {
    /// Passes messages on until the task is dropped, and reports each attempt to listen and each failure. What is published
    /// during an outage is lost.
    pub(super) async fn run(
        self,
        on_message: impl Fn(&Msg) + Send + Sync,
        on_attempt: impl Fn(Result<(), &RedisError>) + Send + Sync,
    ) {
        let mut failures = 0;
        loop {
            match self.subscribe().await {
                Ok((sink, stream)) => {
                    failures = 0;
                    on_attempt(Ok(()));
                    on_attempt(Err(&listen(sink, stream, &on_message).await));
                }
                Err(error) => on_attempt(Err(&error)),
            }
            failures += 1;
            BACKOFF.wait(failures, &*self.clock, &*self.ids).await;
        }
    }

    async fn subscribe(&self) -> RedisResult<(PubSubSink, PubSubStream)> {
        let connect = async {
            let mut pubsub = self.client.get_async_pubsub().await?;
            pubsub.subscribe(&self.channel).await?;
            Ok(pubsub.split())
        };
        timeout(TIMEOUT, connect).await.unwrap_or_else(|_| Err(connection::timed_out()))
    }
}

/// Passes messages on until the connection is lost. Silence means either no news or a dead peer: a ping finds out.
async fn listen(mut sink: PubSubSink, mut stream: PubSubStream, on_message: &(impl Fn(&Msg) + Sync)) -> RedisError {
    loop {
        match timeout(PING_INTERVAL, stream.next()).await {
            Ok(Some(message)) => on_message(&message),
            Ok(None) => return connection::lost(),
            Err(_) => match timeout(TIMEOUT, sink.ping::<redis::Value>()).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return error,
                Err(_) => return connection::timed_out(),
            },
        }
    }
}
