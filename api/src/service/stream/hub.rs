//! Follows the log once for all readers of this node.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use application::backoff::Backoff;
use application::command_bus::CommandBus;
use application::ports::{Clock, Epoch, EventLog, Freshness, Hash, Position, TicketStore};
use projections::agents::AgentQueries;
use projections::conversations::ConversationQueries;
use projections::tags::TagQueries;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::End;
use super::history::History;
use super::notice::{MOST_WAITING, Notice};
use super::recent::{Batch, Recent};
use super::renderer::Renderer;
use super::seats::{Seat, Seats};
use crate::service::reading::Reading;
use crate::service::{Authenticator, Refusal, Views};

/// The most events that are rendered together.
const RUN: usize = 256;

/// How many readers that have fallen behind read the log at the same time: writers come first.
const SLOW_READERS: usize = 4;

/// One task of a node waits for its own log, so that nobody comes back together with it.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(50), longest: Duration::from_secs(5), jitter: 0.0 };

/// How often the hub looks at the log when it hears nothing of it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The dependencies of the hub.
pub struct HubPorts {
    /// Reads aggregates.
    pub bus: CommandBus,
    /// Gives the events to every follower.
    pub log: Arc<dyn EventLog>,
    /// The progress of the read models.
    pub views: Arc<Views>,
    /// Reads conversations, with names.
    pub reading: Reading,
    /// Reads the queues.
    pub conversations: ConversationQueries,
    /// Reads agents and groups.
    pub agents: AgentQueries,
    /// Reads tags.
    pub tags: TagQueries,
    /// Finds the callers of tokens.
    pub authenticator: Authenticator,
    /// Knows which connections have which tickets.
    pub tickets: Arc<dyn TicketStore>,
    /// The present time.
    pub clock: Arc<dyn Clock>,
    /// The history of the log.
    pub epoch: Epoch,
}

/// The readers of this node, and what the log has for them.
pub struct Hub {
    pub(super) renderer: Renderer,
    pub(super) authenticator: Authenticator,
    pub(super) tickets: Arc<dyn TicketStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) epoch: Epoch,
    pub(super) seats: Arc<Seats>,
    /// The position up to which readers have been marked.
    pub(super) head: AtomicI64,
    recent: Recent,
    slow: Semaphore,
    /// Where notices of this and of other nodes wait to be passed on.
    pub(super) notices: mpsc::Sender<Notice>,
}

/// How far the hub has come.
struct Tail {
    known: watch::Receiver<Position>,
    position: Position,
    /// The last event's hash, if there was one.
    last: Option<Hash>,
    freshness: Freshness,
    history: History,
}

impl Hub {
    /// A hub without readers, and the notices for [`Self::pass_on_notices`], which makes it work together with [`Self::run`],
    /// [`Self::watch_authority`] and [`Self::watch_queues`].
    #[must_use]
    pub fn new(ports: HubPorts) -> (Arc<Self>, mpsc::Receiver<Notice>) {
        let HubPorts { bus, log, views, reading, conversations, agents, tags, authenticator, tickets, clock, epoch } =
            ports;
        let (notices, waiting) = mpsc::channel(MOST_WAITING);
        let head = *log.known_position().borrow();
        let recent = Recent::default();
        recent.restart(head);
        let hub = Arc::new(Self {
            renderer: Renderer { bus, log, views, reading, conversations, agents, tags },
            authenticator,
            tickets,
            clock,
            epoch,
            seats: Arc::default(),
            head: AtomicI64::new(head),
            recent,
            slow: Semaphore::new(SLOW_READERS),
            notices,
        });
        (hub, waiting)
    }

    /// The history of the log.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn log(&self) -> &dyn EventLog {
        &*self.renderer.log
    }

    /// Follows the log until the task is dropped.
    pub async fn run(self: Arc<Self>) {
        let known = self.log().known_position();
        let position = self.head.load(Ordering::SeqCst);
        let freshness = self.log().nothing_read();
        let mut tail = Tail { known, position, last: None, freshness, history: History::default() };
        let mut failures = 0_u32;
        loop {
            match self.follow(&mut tail).await {
                Ok(true) => failures = 0,
                Ok(false) => {
                    // The log's own task has ended: the process is of no use any more, which the probes report.
                    if let Ok(Err(_)) = timeout(LOOK_EVERY, tail.known.changed()).await {
                        self.clock.sleep(LOOK_EVERY).await;
                    }
                }
                Err(refusal) => {
                    tracing::warn!(code = refusal.code.as_str(), position = tail.position, "the stream waits");
                    failures = failures.saturating_add(1);
                    self.clock.sleep(BACKOFF.pause(failures, 1.0)).await;
                }
            }
        }
    }

    /// Takes the next events; `false`: there are none.
    async fn follow(&self, tail: &mut Tail) -> Result<bool, Refusal> {
        let known = *tail.known.borrow_and_update();
        self.ensure_same_past(tail, known).await?;
        if known <= tail.position {
            return Ok(false);
        }
        let skip = || {
            self.recent.restart(known);
            self.head.store(known, Ordering::SeqCst);
        };
        if self.seats.if_empty(skip) {
            tail.history.clear();
            (tail.position, tail.last) = (known, None);
            return Ok(false);
        }
        let events = self.log().read_after(tail.position, RUN).await?;
        let Some(last) = events.last().map(|event| event.header.clone()) else { return Ok(false) };
        let changes = self.renderer.render(&events, &mut tail.history).await?;
        if events.iter().any(|event| super::prepared::erases(event)) {
            // Rendered words of an erased visitor are gone with everything before; readers find the rest in the log.
            self.recent.restart(last.position - 1);
            let kept: Vec<_> = changes.iter().filter(|change| change.position == last.position).cloned().collect();
            self.recent.push(&kept, last.position);
        } else {
            self.recent.push(&changes, last.position);
        }
        self.seats.publish(&changes, last.position, &self.head);
        (tail.position, tail.last) = (last.position, Some(last.chain_hash));
        let lag = self.clock.now().since(last.recorded_at);
        metrics::histogram!("livechatlog_stream_lag_seconds").record(lag);
        Ok(true)
    }

    /// A crash of the database can roll back events that readers have seen: they must load everything again.
    async fn ensure_same_past(&self, tail: &mut Tail, known: Position) -> Result<(), Refusal> {
        let freshness = self.log().nothing_read();
        if known >= tail.position && !freshness.is_of_another_generation(&tail.freshness) {
            return Ok(());
        }
        let event = match tail.position {
            0 => None,
            position => self.log().read_after(position - 1, 1).await?.first().map(|event| event.header.chain_hash),
        };
        let is_gone = known < tail.position || tail.last.is_some_and(|hash| event != Some(hash));
        if is_gone {
            tracing::warn!(position = known, "events that readers have seen are gone: they load everything again");
            self.seats.all().iter().for_each(|seat| seat.end(End::UnknownPosition));
            tail.history.clear();
            (tail.position, tail.last) = (known, None);
            self.recent.restart(known);
            self.head.store(known, Ordering::SeqCst);
        }
        tail.freshness = freshness;
        Ok(())
    }

    /// What a reader gets after a position, from memory or from the log.
    pub(super) async fn batch(&self, after: Position, seat: &Seat, is_replay: bool) -> Result<Batch, Refusal> {
        // Memory has the rights at each position, and a replay needs those of now. Only such agents lose conversations.
        let needs_rights_of_now = is_replay && seat.reader.depends_on_groups();
        let recent = if needs_rights_of_now { None } else { self.recent.after(after, &seat.reader) };
        if let Some(batch) = recent {
            return Ok(batch);
        }
        // The semaphore is never closed.
        let _permit = self.slow.acquire().await;
        self.renderer.page(after, &seat.reader).await
    }
}
