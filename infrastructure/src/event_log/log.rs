//! The adapter that joins appending and reading.

use std::sync::Arc;
use std::time::Duration;

use application::InstallationKey;
use application::ports::{
    AppendError, AppendRequest, AsOf, Clock, CommandRecord, EventLog, Freshness, Growth, Ids, LogEvent, LogHead,
    Position, ReadError, Receipt, SeenStream, Sequence, StreamEvent, StreamId, VersionedState, WakeUps,
};
use async_trait::async_trait;
use domain::event::{Upcasters, upcasters};
use domain::ids::CommandId;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;

use super::append::{AppendQueue, Appender, Committer, KnownVersions, Pending, Prepared, find_command};
use super::history::{History, LogHint, TaskEnded};
use super::tail::{HeadReader, LogReader, RecentEvents, Streams, Tailer, unavailable};
use super::{head, snapshots};
use crate::database::{Database, Dialect};
use crate::wake_ups::NoWakeUps;

/// How many events are kept in memory.
const KEPT_EVENTS: usize = 8_192;

/// How many requests may wait for the appender before callers wait for room.
const QUEUE_CAPACITY: usize = 4_096;

/// How many committed batches may wait for the tailer to decode them.
const COMMITTED_CAPACITY: usize = 16;

/// How long a caller waits for an answer. The appender gives up as soon, but one batch may wait for another.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The dependencies of the log.
#[derive(Clone)]
pub struct LogPorts {
    /// Dates the events.
    pub clock: Arc<dyn Clock>,
    /// Random numbers for jitter.
    pub ids: Arc<dyn Ids>,
    /// Announces each commit to other nodes.
    pub wake_ups: Arc<dyn WakeUps>,
    /// Bring stored events to their newest version; [`domain::event::upcasters`] unless a test says otherwise.
    pub upcasters: &'static Upcasters,
    /// Announces appends of other nodes to this one.
    pub hint: LogHint,
    /// Seals the snapshots: those that were sealed with another key are not used.
    pub snapshot_key: InstallationKey,
}

impl LogPorts {
    /// For a program without signals and secrets: it finds the appends of others by polling, and uses no snapshots of
    /// servers.
    #[must_use]
    pub fn alone(clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self {
            clock,
            ids,
            wake_ups: Arc::new(NoWakeUps),
            upcasters: upcasters(),
            hint: LogHint::default(),
            snapshot_key: InstallationKey::new("snapshots", b""),
        }
    }
}

/// The event log in MySQL or SQLite. After it is dropped, its tasks answer every accepted append and end.
pub struct SqlEventLog {
    pub(super) database: Database,
    requests: mpsc::Sender<Pending>,
    pub(super) reader: LogReader,
    pub(super) recent: Arc<RecentEvents>,
    streams: Streams,
    head: HeadReader,
    known: watch::Receiver<Position>,
    history: History,
    snapshot_key: InstallationKey,
}

/// No answer came in time; the outcome of the append is unknown.
#[derive(Debug, thiserror::Error)]
#[error("the log gave no answer in time")]
struct NoAnswer;

impl SqlEventLog {
    /// Starts the appender and the tailer.
    ///
    /// # Errors
    /// When the end of the log cannot be read.
    pub async fn start(database: Database, ports: LogPorts) -> Result<Self, ReadError> {
        let LogHead { position, epoch, .. } = head::read(&database).await.map_err(unavailable)?;
        let (requests, incoming) = mpsc::channel(QUEUE_CAPACITY);
        let (committed_sender, committed) = mpsc::channel(COMMITTED_CAPACITY);
        let (known_sender, known) = watch::channel(position);
        let reader = LogReader::new(database.clone(), ports.upcasters);
        let recent = Arc::new(RecentEvents::new(KEPT_EVENTS, position));
        let history = History::of(epoch);
        let appender = Appender {
            database: database.clone(),
            committer: Committer::new(database.clone(), history.epoch(), ports.clock, ports.ids),
            queue: AppendQueue::new(incoming),
            known: KnownVersions::default(),
            committed: committed_sender,
            hint: ports.hint.clone(),
            wake_ups: ports.wake_ups,
            history: history.clone(),
        };
        let tailer = Tailer {
            database: database.clone(),
            reader: reader.clone(),
            recent: Arc::clone(&recent),
            known: known_sender,
            committed,
            hint: ports.hint.clone(),
            history: history.clone(),
        };
        tokio::spawn(appender.run());
        tokio::spawn(tailer.run());
        let streams = Streams::new(&database);
        let head = HeadReader::start(&database, &recent, &history, ports.hint);
        let snapshot_key = ports.snapshot_key;
        Ok(Self { database, requests, reader, recent, streams, head, known, history, snapshot_key })
    }

    /// The dialect of its database.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.database.dialect()
    }

    /// Refuses to continue after another log has replaced this one: the knowledge of this node is about the old log.
    fn ensure_same_history(&self, position: Position) -> Result<(), ReadError> {
        if self.history.has_forked() { Err(ReadError::HistoryForked { position }) } else { Ok(()) }
    }

    /// Each task drops its end of the channel when it ends.
    fn has_lost_a_task(&self) -> bool {
        self.requests.is_closed() || self.known.has_changed().is_err()
    }

    fn ensure_at_work(&self) -> Result<(), ReadError> {
        if self.has_lost_a_task() { Err(ReadError::Unavailable { source: Box::new(TaskEnded) }) } else { Ok(()) }
    }

    pub(super) async fn answer(&self, request: Prepared) -> Result<Receipt, AppendError> {
        timeout(ANSWER_WITHIN, self.ask(request))
            .instrument(tracing::info_span!("append"))
            .await
            .unwrap_or_else(|_| Err(AppendError::Unavailable { source: Box::new(NoAnswer) }))
    }

    async fn ask(&self, request: Prepared) -> Result<Receipt, AppendError> {
        let no_answer = || AppendError::Unavailable { source: Box::new(NoAnswer) };
        let (answer, answered) = oneshot::channel();
        self.requests.send(Pending { request, since: Instant::now(), answer }).await.map_err(|_| no_answer())?;
        answered.await.map_err(|_| no_answer())?
    }
}

#[async_trait]
impl EventLog for SqlEventLog {
    async fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        self.answer(Prepared::new(request, self.dialect())?).await
    }

    async fn find_command(&self, command_id: CommandId) -> Result<Option<CommandRecord>, ReadError> {
        find_command(&self.database, command_id).await.map_err(unavailable)
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<Arc<LogEvent>>, ReadError> {
        self.ensure_same_history(after + 1)?;
        match self.recent.after(after, limit) {
            Some(events) => Ok(events),
            None => self.reader.page(after, limit).await,
        }
    }

    async fn read_stream(&self, stream: StreamId, after: Sequence) -> Result<Vec<StreamEvent>, ReadError> {
        self.streams.read(stream, after, self.reader.upcasters()).await
    }

    async fn read_stream_page(
        &self,
        stream: StreamId,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<StreamEvent>, ReadError> {
        self.streams.page(stream, (after, limit), self.reader.upcasters()).await
    }

    async fn find_snapshot(&self, stream: StreamId, fingerprint: &str) -> Result<Option<VersionedState>, ReadError> {
        snapshots::find((&self.database, &self.snapshot_key), stream, fingerprint).await.map_err(unavailable)
    }

    async fn save_snapshot(
        &self,
        stream: StreamId,
        fingerprint: &str,
        snapshot: VersionedState,
    ) -> Result<(), ReadError> {
        self.ensure_same_history(*self.known.borrow())?;
        snapshots::save((&self.database, &self.snapshot_key), stream, fingerprint, snapshot).await.map_err(unavailable)
    }

    async fn find_grown(&self, seen: &[SeenStream], as_of: Option<AsOf>) -> Result<Growth, ReadError> {
        self.ensure_at_work()?;
        let as_of = match as_of {
            Some(as_of) => as_of.position(),
            None => self.head.read().await?.position,
        };
        self.ensure_same_history(as_of)?;
        self.head.reach(as_of, self.known.clone()).await;
        let mut grown = vec![];
        for stream in seen {
            let has_grown = match self.recent.has_grown(stream, as_of) {
                Some(has_grown) => has_grown,
                None => !self.read_stream(stream.stream, stream.freshness.version()).await?.is_empty(),
            };
            // Reading just now may have noticed a rollback.
            if has_grown || stream.freshness.is_of_another_generation(&self.nothing_read()) {
                grown.push(stream.stream);
            }
        }
        Ok(Growth { grown, as_of })
    }

    async fn head(&self) -> Result<LogHead, ReadError> {
        self.ensure_at_work()?;
        let head = self.head.read().await?;
        self.ensure_same_history(head.position)?;
        Ok(head)
    }

    fn nothing_read(&self) -> Freshness {
        // Both only count up, so that their sum names each generation once.
        let generation = self.database.restarts() + self.recent.rollbacks();
        Freshness::new(generation, *self.known.borrow())
    }

    fn has_broken_down(&self) -> bool {
        self.has_lost_a_task() || self.history.has_forked()
    }

    fn known_position(&self) -> watch::Receiver<Position> {
        self.known.clone()
    }
}
