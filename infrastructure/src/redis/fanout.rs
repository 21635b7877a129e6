//! Messages to all nodes through Redis publish/subscribe.

use std::fmt;
use std::sync::Arc;

use application::ports::{Clock, Fanout};
use redis::aio::ConnectionManager;
use redis::{Client, Msg, RedisResult};
use tokio::sync::mpsc;

use super::channel::ChannelOptions;
use super::connection;
use super::link::Link;
use super::listener::{Listener, TIMEOUT};
use super::tasks::Tasks;
use crate::fanout::OnMessage;

/// The most messages that wait for Redis. Later ones are dropped: they are about a moment that has passed.
const MOST_WAITING: usize = 1_024;

/// Passes messages on to this node at once, and to the others through Redis. During an outage of Redis the others get none.
pub struct RedisFanout {
    /// Precedes each message, so that this node leaves its own ones out.
    own: String,
    on_message: OnMessage,
    outbox: mpsc::Sender<String>,
    /// Held until the end.
    _tasks: Tasks,
}

impl RedisFanout {
    /// The beginning of the channel's name, which the history of the log completes.
    pub const CHANNEL: &str = "livechatlog:moments";

    /// Starts the two tasks that send and listen; they end when this is dropped. Redis need not be reachable yet. Must be
    /// called within a Tokio runtime.
    ///
    /// # Errors
    /// When the URL is not valid.
    pub fn start(options: ChannelOptions, on_message: OnMessage) -> RedisResult<Self> {
        let client = Client::open(options.url.as_str())?;
        let manager = connection::lazy(&client, TIMEOUT)?;
        let ChannelOptions { channel, clock, ids, .. } = options;
        let own = format!("{} ", ids.new_uuid().simple());
        let (outbox, waiting) = mpsc::channel(MOST_WAITING);
        let publisher = Publisher { link: Link::new(), channel: channel.clone(), clock: Arc::clone(&clock), manager };
        let (node, receiver) = (own.clone(), Arc::clone(&on_message));
        let listening = Listener { client, channel, clock, ids }.run(
            move |message| pass_on(message, &node, &receiver),
            // The signals between nodes report outages.
            |_| {},
        );
        let tasks = Tasks::spawn(publisher.run(waiting), listening);
        Ok(Self { own, on_message, outbox, _tasks: tasks })
    }
}

impl fmt::Debug for RedisFanout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisFanout").finish_non_exhaustive()
    }
}

impl Fanout for RedisFanout {
    fn send(&self, message: &str) {
        (self.on_message)(message);
        if self.outbox.try_send(format!("{}{message}", self.own)).is_err() {
            tracing::debug!("a message to other nodes was dropped");
        }
    }
}

struct Publisher {
    link: Link<1>,
    channel: String,
    clock: Arc<dyn Clock>,
    manager: ConnectionManager,
}

impl Publisher {
    async fn run(mut self, mut waiting: mpsc::Receiver<String>) {
        while let Some(message) = waiting.recv().await {
            if self.link.may_try(&*self.clock) {
                let mut publish = redis::cmd("PUBLISH");
                let sent = publish.arg(&self.channel).arg(message).exec_async(&mut self.manager).await;
                self.link.note(0, sent.is_ok(), &*self.clock);
            }
        }
    }
}

/// Passes a message of another node on.
fn pass_on(message: &Msg, own: &str, on_message: &OnMessage) {
    let Ok(text) = message.get_payload::<String>() else { return };
    match text.split_once(' ') {
        Some((node, message)) if node != own.trim_end() => on_message(message),
        Some(_) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::watch;
    use tokio::time::timeout;

    use application::ports::Ids as _;

    use super::*;
    use crate::system::{RandomIds, SystemClock};
    use crate::testing::redis_url;

    fn node(url: &str, channel: &str) -> (RedisFanout, watch::Receiver<Vec<String>>) {
        let (sender, heard) = watch::channel(vec![]);
        let listen: OnMessage = Arc::new(move |message| sender.send_modify(|heard| heard.push(message.to_owned())));
        let (url, channel) = (url.to_owned(), channel.to_owned());
        let options = ChannelOptions { url, channel, clock: Arc::new(SystemClock), ids: Arc::new(RandomIds) };
        (RedisFanout::start(options, listen).unwrap(), heard)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_node_hears_a_message_once() {
        let Some(url) = redis_url("every_node_hears_a_message_once") else { return };
        let channel = format!("{}:test:{}", RedisFanout::CHANNEL, RandomIds.new_uuid());
        let ((speaker, own), (_listener, mut heard)) = (node(&url, &channel), node(&url, &channel));
        let mut sent = 0;
        // What is said before the other node listens is lost.
        while heard.borrow().is_empty() {
            assert!(sent < 750, "nothing was heard");
            sent += 1;
            speaker.send(&format!("hello {sent}"));
            drop(timeout(Duration::from_millis(20), heard.changed()).await);
        }
        speaker.send("the last one");
        let last = heard.wait_for(|heard| heard.last().is_some_and(|text| text == "the last one"));
        timeout(Duration::from_secs(15), last).await.unwrap().unwrap();
        let once = |all: &[String]| all.iter().filter(|text| *text == "the last one").count();
        assert_eq!(once(&heard.borrow()), 1);
        assert_eq!((own.borrow().len(), once(&own.borrow())), (sent + 1, 1), "this node hears itself once, at once");
    }

    #[tokio::test]
    async fn without_redis_this_node_goes_on() {
        // Nobody listens on the port that the system has just given back.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (speaker, own) = node(&format!("redis://127.0.0.1:{port}"), RedisFanout::CHANNEL);
        for number in 0..2 * MOST_WAITING {
            speaker.send(&number.to_string());
        }
        assert_eq!(own.borrow().len(), 2 * MOST_WAITING);
    }
}
