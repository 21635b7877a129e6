use std::net::SocketAddr;
use std::time::{Duration, Instant};

use application::ports::{Clock as _, Ids as _};
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::*;
use crate::system::{RandomIds, SystemClock};
use crate::testing::{RedisProxy, redis_url};

const DEADLINE: Duration = Duration::from_secs(15);

fn options(url: String, channel: &str) -> ChannelOptions {
    ChannelOptions { url, channel: channel.to_owned(), clock: Arc::new(SystemClock), ids: Arc::new(RandomIds) }
}

fn own_channel() -> String {
    format!("{}:test:{}", RedisWakeUps::CHANNEL, RandomIds.new_uuid())
}

/// Waits for something that a task brings about.
async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "after {DEADLINE:?}: not yet {what}");
        SystemClock.sleep(Duration::from_millis(5)).await;
    }
}

/// Two nodes on one channel; what the second one hears.
struct Nodes {
    speaker: RedisWakeUps,
    listener: RedisWakeUps,
    heard: watch::Receiver<Vec<Position>>,
}

impl Nodes {
    fn start(url: &str, channel: &str) -> Self {
        let (sender, heard) = watch::channel(Vec::new());
        let listen: OnAnnounced = Arc::new(move |position| sender.send_modify(|heard| heard.push(position)));
        Self {
            speaker: RedisWakeUps::start(options(url.to_owned(), channel), Arc::new(|_| {})).unwrap(),
            listener: RedisWakeUps::start(options(url.to_owned(), channel), listen).unwrap(),
            heard,
        }
    }

    async fn are(&self, status: WakeUpStatus) {
        let both = || self.speaker.status() == status && self.listener.status() == status;
        eventually(&format!("{status} on both nodes"), both).await;
    }

    async fn hear(&self, position: Position) {
        eventually(&format!("heard {position}"), || self.heard.borrow().last() == Some(&position)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_hears_what_another_announces() {
    let Some(url) = redis_url("node_hears_what_another_announces") else { return };
    let nodes = Nodes::start(&url, &own_channel());
    nodes.are(WakeUpStatus::Connected).await;
    nodes.speaker.announce(7);
    nodes.hear(7).await;
    assert_eq!(*nodes.heard.borrow(), [7]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn burst_of_announcements_is_coalesced_and_ends_with_the_newest() {
    let Some(url) = redis_url("burst_of_announcements_is_coalesced_and_ends_with_the_newest") else { return };
    let nodes = Nodes::start(&url, &own_channel());
    nodes.are(WakeUpStatus::Connected).await;
    for position in 1..=10_000 {
        nodes.speaker.announce(position);
    }
    nodes.speaker.announce(3);
    nodes.hear(10_000).await;
    let heard = nodes.heard.borrow().clone();
    assert!(heard.is_sorted() && heard.len() < 5_000, "{} announcements arrived", heard.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outage_shows_and_ends_without_a_restart() {
    let Some(url) = redis_url("outage_shows_and_ends_without_a_restart") else { return };
    let proxy = RedisProxy::start(SocketAddr::from(([127, 0, 0, 1], 0)), &url).await;
    let address = proxy.address();
    let nodes = Nodes::start(&proxy.url(), &own_channel());
    nodes.are(WakeUpStatus::Connected).await;

    proxy.stop().await;
    nodes.are(WakeUpStatus::Disconnected).await;
    let start = Instant::now();
    for position in 1..=1_000 {
        nodes.speaker.announce(position);
    }
    assert!(start.elapsed() < Duration::from_millis(200), "announcing waited {:?}", start.elapsed());

    let proxy = RedisProxy::start(address, &url).await;
    nodes.are(WakeUpStatus::Connected).await;
    nodes.speaker.announce(2_000);
    nodes.hear(2_000).await;
    proxy.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_messages_and_other_channels_are_left_aside() {
    let Some(url) = redis_url("foreign_messages_and_other_channels_are_left_aside") else { return };
    let channel = own_channel();
    let nodes = Nodes::start(&url, &channel);
    nodes.are(WakeUpStatus::Connected).await;
    let mut connection = Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    for text in ["", "seven", "-1", "0", "99999999999999999999", "\u{0}"] {
        redis::cmd("PUBLISH").arg(&channel).arg(text).exec_async(&mut connection).await.unwrap();
    }
    redis::cmd("PUBLISH").arg(own_channel()).arg(5).exec_async(&mut connection).await.unwrap();
    nodes.speaker.announce(8);
    nodes.hear(8).await;
    assert_eq!(*nodes.heard.borrow(), [8]);
}

#[tokio::test]
async fn dropped_node_stops_its_tasks() {
    let wake_ups = RedisWakeUps::start(options("redis://127.0.0.1:1".to_owned(), "any"), Arc::new(|_| {})).unwrap();
    let tasks = wake_ups.tasks.0.clone();
    drop(wake_ups);
    eventually("both tasks ended", || tasks.iter().all(AbortHandle::is_finished)).await;
}

#[tokio::test]
async fn redis_that_is_not_there_delays_nobody_and_shows() {
    let wake_ups = RedisWakeUps::start(options("redis://127.0.0.1:1".to_owned(), "any"), Arc::new(|_| {})).unwrap();
    assert_eq!(wake_ups.status(), WakeUpStatus::Connecting);
    let start = Instant::now();
    for position in 1..=1_000 {
        wake_ups.announce(position);
    }
    assert!(start.elapsed() < Duration::from_millis(200), "announcing waited {:?}", start.elapsed());
    eventually("disconnected", || wake_ups.status() == WakeUpStatus::Disconnected).await;
}

#[tokio::test]
async fn url_of_something_else_is_refused() {
    for url in ["", "http://127.0.0.1", "127.0.0.1:6379", "redis://127.0.0.1:port"] {
        let refused = RedisWakeUps::start(options(url.to_owned(), "any"), Arc::new(|_| {}));
        assert!(refused.is_err(), "{url} was accepted");
    }
}

#[test]
fn debug_output_of_the_options_holds_no_password() {
    let options = options(format!("redis://:secret{}@127.0.0.1", Uuid::nil()), "any");
    assert!(!format!("{options:?}").contains("secret"));
}
