//! Appends that are not waited for: one after the other decides, and the log takes them in batches.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use application::ports::{
    AppendError, AppendRequest, Clock, CommandRecord, EventLog, LogEvent, LogHead, Position, ReadError, Receipt,
    Sequence, StreamEvent, StreamId, VersionedState,
};
use async_trait::async_trait;
use domain::ids::CommandId;
use domain::time::Timestamp;
use infrastructure::system::SystemClock;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, unconstrained};

/// How many appends are under way; the log answers each within seconds.
const WINDOW: usize = 1_500;

/// A clock that stands where it is put.
#[derive(Clone, Debug, Default)]
pub struct Calendar(Arc<AtomicI64>);

impl Calendar {
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.as_micros(), Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for Calendar {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration).await;
    }
}

/// A log that answers an append before it has happened. For a single writer who is never refused.
pub struct Pipeline {
    log: Arc<dyn EventLog>,
    requests: mpsc::Sender<AppendRequest>,
}

impl Pipeline {
    /// The task ends when the pipeline is dropped and everything is in the log.
    pub fn open(log: Arc<dyn EventLog>) -> (Arc<Self>, JoinHandle<Position>) {
        let (requests, incoming) = mpsc::channel(WINDOW);
        let task = tokio::spawn(pass_on(Arc::clone(&log), incoming));
        (Arc::new(Self { log, requests }), task)
    }
}

async fn pass_on(log: Arc<dyn EventLog>, mut incoming: mpsc::Receiver<AppendRequest>) -> Position {
    let mut under_way = VecDeque::new();
    let mut last = 0;
    while let Some(request) = incoming.recv().await {
        let log = Arc::clone(&log);
        // The first poll puts the request into the appender's queue, which keeps the order.
        let mut appending = Box::pin(unconstrained(async move { log.append(request).await }));
        match futures::poll!(&mut appending) {
            std::task::Poll::Ready(done) => panic!("the log answers before it has written: {done:?}"),
            std::task::Poll::Pending => under_way.push_back(appending),
        }
        if under_way.len() >= WINDOW {
            for appending in under_way.drain(..WINDOW / 3) {
                last = appending.await.expect("nobody else appends").last_position;
            }
        }
    }
    for appending in under_way {
        last = appending.await.expect("nobody else appends").last_position;
    }
    last
}

#[async_trait]
impl EventLog for Pipeline {
    async fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        self.requests.send(request).await.expect("the pipeline is open");
        Ok(Receipt { first_position: 0, last_position: 0, recorded_at: Timestamp::from_micros(0) })
    }

    async fn find_command(&self, command_id: CommandId) -> Result<Option<CommandRecord>, ReadError> {
        self.log.find_command(command_id).await
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<Arc<LogEvent>>, ReadError> {
        self.log.read_after(after, limit).await
    }

    /// Only new things are not in the cache of who decides.
    async fn read_stream(&self, _stream: StreamId, _after: Sequence) -> Result<Vec<StreamEvent>, ReadError> {
        Ok(vec![])
    }

    async fn find_snapshot(&self, _stream: StreamId, _shape: &str) -> Result<Option<VersionedState>, ReadError> {
        Ok(None)
    }

    async fn save_snapshot(&self, _: StreamId, _: &str, _: VersionedState) -> Result<(), ReadError> {
        Ok(())
    }

    async fn head(&self) -> Result<LogHead, ReadError> {
        self.log.head().await
    }

    fn known_position(&self) -> watch::Receiver<Position> {
        self.log.known_position()
    }
}
