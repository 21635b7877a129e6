//! Signals through Redis publish/subscribe.

use std::sync::Arc;

use application::ports::{Position, WakeUps};
use async_trait::async_trait;
use redis::aio::ConnectionManager;
use redis::{Client, Msg, RedisError, RedisResult};
use tokio::sync::watch;

use super::channel::ChannelOptions;
use super::connection;
use super::link::{Change, Link, LinkStatus};
use super::listener::{BACKOFF, Listener, TIMEOUT};
use super::tasks::Tasks;
use crate::wake_ups::{OnAnnounced, WakeUpStatus};

/// The connections, by their place in the link.
const PUBLISHER: usize = 0;
const SUBSCRIBER: usize = 1;

/// Signals to other nodes through Redis, and receives their signals. An outage of Redis delays signals; those that were
/// sent during it are lost.
#[derive(Debug)]
pub struct RedisWakeUps {
    newest: watch::Sender<Position>,
    link: Arc<Link<2>>,
    #[cfg_attr(not(test), expect(dead_code, reason = "held until the end"))]
    tasks: Tasks,
}

impl RedisWakeUps {
    /// The channel of the only installation on a Redis.
    pub const CHANNEL: &str = "livechatlog:head";

    /// Whether a URL is valid; nothing is connected.
    #[must_use]
    pub fn is_address(url: &str) -> bool {
        Client::open(url).is_ok()
    }

    /// Starts the two tasks that signal and listen; they end when this is dropped. Redis need not be reachable yet.
    /// Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the URL is not valid.
    pub fn start(options: ChannelOptions, on_announced: OnAnnounced) -> RedisResult<Self> {
        let client = Client::open(options.url.as_str())?;
        let manager = connection::lazy(&client, TIMEOUT)?;
        let (newest, positions) = watch::channel(0);
        let link = Arc::new(Link::new());
        let shared = Arc::new(Shared { link: Arc::clone(&link), options });
        let publisher = Publisher { shared: Arc::clone(&shared), manager, positions };
        let ChannelOptions { channel, clock, ids, .. } = shared.options.clone();
        let listening = Listener { client, channel, clock, ids }.run(
            move |message| pass_on(message, &on_announced),
            move |attempt| match attempt {
                Ok(()) => shared.works(SUBSCRIBER),
                Err(error) => shared.fails(SUBSCRIBER, error),
            },
        );
        let tasks = Tasks::spawn(publisher.run(), listening);
        Ok(Self { newest, link, tasks })
    }

    /// Whether signals get through, as far as is known.
    #[must_use]
    pub fn status(&self) -> WakeUpStatus {
        match self.link.status() {
            LinkStatus::Untried => WakeUpStatus::Connecting,
            LinkStatus::Up => WakeUpStatus::Connected,
            LinkStatus::Down => WakeUpStatus::Disconnected,
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

struct Shared {
    link: Arc<Link<2>>,
    options: ChannelOptions,
}

impl Shared {
    fn works(&self, connection: usize) {
        if let Some(Change { to: LinkStatus::Up, .. }) = self.link.note(connection, true, &*self.options.clock) {
            tracing::info!("signals between nodes get through Redis");
        }
    }

    fn fails(&self, connection: usize, error: &RedisError) {
        if self.link.note(connection, false, &*self.options.clock).is_some() {
            tracing::warn!(%error, "Redis is unavailable: nodes find new events by polling");
        }
    }

    async fn pause(&self, failures: u32) {
        BACKOFF.wait(failures, &*self.options.clock, &*self.options.ids).await;
    }
}

struct Publisher {
    shared: Arc<Shared>,
    manager: ConnectionManager,
    positions: watch::Receiver<Position>,
}

impl Publisher {
    /// Sends the newest position. It covers those that came while the last one was on its way.
    async fn run(mut self) {
        self.until_it_works(Self::ping).await;
        while self.positions.changed().await.is_ok() {
            self.until_it_works(Self::publish).await;
        }
    }

    async fn until_it_works(&mut self, attempt: impl AsyncFn(&mut Self) -> RedisResult<()>) {
        // A connection that broke unnoticed fails once and is replaced. That alone is no outage.
        if attempt(self).await.is_err() {
            let mut failures = 0;
            while let Err(error) = attempt(self).await {
                self.shared.fails(PUBLISHER, &error);
                failures += 1;
                self.shared.pause(failures).await;
            }
        }
        self.shared.works(PUBLISHER);
    }

    async fn ping(&mut self) -> RedisResult<()> {
        redis::cmd("PING").exec_async(&mut self.manager).await
    }

    async fn publish(&mut self) -> RedisResult<()> {
        let newest = *self.positions.borrow_and_update();
        redis::cmd("PUBLISH").arg(&self.shared.options.channel).arg(newest).exec_async(&mut self.manager).await
    }
}

fn pass_on(message: &Msg, on_announced: &OnAnnounced) {
    match message.get_payload::<Position>() {
        Ok(position) if position > 0 => on_announced(position),
        Ok(_) | Err(_) => tracing::debug!("ignoring an announcement that is not a position"),
    }
}

#[cfg(test)]
mod tests;
