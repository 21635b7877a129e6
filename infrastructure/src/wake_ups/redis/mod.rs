//! Signals through Redis publish/subscribe.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, Ids, Position, WakeUps};
use async_trait::async_trait;
use futures::StreamExt;
use redis::aio::{ConnectionManager, ConnectionManagerConfig, PubSubSink, PubSubStream};
use redis::{Client, RedisError, RedisResult};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::state::{Link, LinkState};
use super::{OnAnnounced, WakeUpStatus};

const TIMEOUT: Duration = Duration::from_secs(1);
const PING_INTERVAL: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Where and how to signal.
#[derive(Clone)]
pub struct WakeUpOptions {
    /// Such as `redis://127.0.0.1:6379`.
    pub url: String,
    /// The channel; nodes of one installation share it, and no other installation uses it.
    pub channel: String,
    /// Waits between attempts.
    pub clock: Arc<dyn Clock>,
    /// Spreads the attempts of several nodes.
    pub ids: Arc<dyn Ids>,
}

impl WakeUpOptions {
    /// The channel where there is one installation on a Redis.
    pub const CHANNEL: &str = "livechatlog:head";
}

impl fmt::Debug for WakeUpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("WakeUpOptions").field("channel", &self.channel).finish_non_exhaustive()
    }
}

/// Tells other nodes through Redis, and hears them. Redis may come and go: an outage only delays signals, and those
/// that were sent meanwhile are lost.
#[derive(Debug)]
pub struct RedisWakeUps {
    newest: watch::Sender<Position>,
    state: Arc<LinkState>,
    tasks: [AbortHandle; 2],
}

impl RedisWakeUps {
    /// Whether an address can be understood, whatever is there.
    #[must_use]
    pub fn is_address(url: &str) -> bool {
        Client::open(url).is_ok()
    }

    /// Starts the two tasks that signal and listen; they end when this is dropped. Redis need not be there yet.
    /// Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the URL is none that this program can use.
    pub fn start(options: WakeUpOptions, on_announced: OnAnnounced) -> RedisResult<Self> {
        let client = Client::open(options.url.as_str())?;
        let manager = ConnectionManager::new_lazy_with_config(client.clone(), manager_config())?;
        let (newest, positions) = watch::channel(0);
        let link = Arc::new(Shared { state: Arc::new(LinkState::default()), options });
        let state = Arc::clone(&link.state);
        let publisher = Publisher { shared: Arc::clone(&link), manager, positions };
        let subscriber = Subscriber { shared: link, client, on_announced };
        let tasks = [tokio::spawn(publisher.run()).abort_handle(), tokio::spawn(subscriber.run()).abort_handle()];
        Ok(Self { newest, state, tasks })
    }

    /// Whether signals get through, as far as is known.
    #[must_use]
    pub fn status(&self) -> WakeUpStatus {
        self.state.status()
    }
}

impl Drop for RedisWakeUps {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

#[async_trait]
impl WakeUps for RedisWakeUps {
    fn announce(&self, position: Position) {
        self.newest.send_if_modified(|newest| {
            let is_news = position > *newest;
            *newest = position.max(*newest);
            is_news
        });
    }
}

/// The manager makes one attempt for each command; the pauses between attempts are ours.
fn manager_config() -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_number_of_retries(0)
        .set_connection_timeout(Some(TIMEOUT))
        .set_response_timeout(Some(TIMEOUT))
}

struct Shared {
    state: Arc<LinkState>,
    options: WakeUpOptions,
}

impl Shared {
    fn works(&self, link: Link) {
        if self.state.note(link, true) == Some(WakeUpStatus::Connected) {
            tracing::info!("signals between nodes get through Redis");
        }
    }

    fn fails(&self, link: Link, error: &RedisError) {
        if self.state.note(link, false).is_some() {
            tracing::warn!(%error, "Redis is unavailable: nodes find new events by polling");
        }
    }

    async fn pause(&self, failures: u32) {
        let full = FIRST_PAUSE.saturating_mul(1 << failures.min(16)).min(LONGEST_PAUSE);
        let pause = full.mul_f64(0.5 + self.options.ids.fraction() / 2.0);
        self.options.clock.sleep(pause).await;
    }
}

struct Publisher {
    shared: Arc<Shared>,
    manager: ConnectionManager,
    positions: watch::Receiver<Position>,
}

impl Publisher {
    /// Sends the newest position; what came while the last one was on its way is covered by it.
    async fn run(mut self) {
        self.until_it_works(Self::ping).await;
        while self.positions.changed().await.is_ok() {
            self.until_it_works(Self::publish).await;
        }
    }

    async fn until_it_works(&mut self, attempt: impl AsyncFn(&mut Self) -> RedisResult<()>) {
        // A connection that broke unnoticed fails once and is replaced; that alone is no outage.
        if attempt(self).await.is_err() {
            let mut failures = 0;
            while let Err(error) = attempt(self).await {
                self.shared.fails(Link::Publisher, &error);
                self.shared.pause(failures).await;
                failures += 1;
            }
        }
        self.shared.works(Link::Publisher);
    }

    async fn ping(&mut self) -> RedisResult<()> {
        redis::cmd("PING").exec_async(&mut self.manager).await
    }

    async fn publish(&mut self) -> RedisResult<()> {
        let newest = *self.positions.borrow_and_update();
        redis::cmd("PUBLISH").arg(&self.shared.options.channel).arg(newest).exec_async(&mut self.manager).await
    }
}

struct Subscriber {
    shared: Arc<Shared>,
    client: Client,
    on_announced: OnAnnounced,
}

impl Subscriber {
    async fn run(self) {
        let mut failures = 0;
        loop {
            match self.subscribe().await {
                Ok((sink, stream)) => {
                    failures = 0;
                    self.shared.works(Link::Subscriber);
                    self.shared.fails(Link::Subscriber, &self.listen(sink, stream).await);
                }
                Err(error) => self.shared.fails(Link::Subscriber, &error),
            }
            self.shared.pause(failures).await;
            failures += 1;
        }
    }

    async fn subscribe(&self) -> RedisResult<(PubSubSink, PubSubStream)> {
        let connect = async {
            let mut pubsub = self.client.get_async_pubsub().await?;
            pubsub.subscribe(&self.shared.options.channel).await?;
            Ok(pubsub.split())
        };
        timeout(TIMEOUT, connect).await.unwrap_or_else(|_| Err(timed_out()))
    }

    /// Passes announcements on until the connection is lost. Silence may be either no news or a dead peer, so it asks.
    async fn listen(&self, mut sink: PubSubSink, mut stream: PubSubStream) -> RedisError {
        loop {
            match timeout(PING_INTERVAL, stream.next()).await {
                Ok(Some(message)) => self.pass_on(&message),
                Ok(None) => return connection_lost(),
                Err(_) => match timeout(TIMEOUT, sink.ping::<redis::Value>()).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return error,
                    Err(_) => return timed_out(),
                },
            }
        }
    }

    fn pass_on(&self, message: &redis::Msg) {
        match message.get_payload::<Position>() {
            Ok(position) if position > 0 => (self.on_announced)(position),
            Ok(_) | Err(_) => tracing::debug!("an announcement that is no position was left aside"),
        }
    }
}

fn timed_out() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

fn connection_lost() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()
}

#[cfg(test)]
mod tests;
