//! Appends that are not waited for: one after the other decides, and the log takes them in batches.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use application::ports::{
    AppendError, AppendRequest, AsOf, Clock, CommandRecord, EventLog, Freshness, Growth, LogEvent, LogHead, Position,
    ReadError, Receipt, SeenStream, Sequence, StreamEvent, StreamId, VersionedState,
};
use application::testing::find_grown_by_reading;
use async_trait::async_trait;
use domain::aggregate::AggregateType;
use domain::ids::CommandId;
use domain::time::Timestamp;
use infrastructure::system::SystemClock;
use tokio::sync::{mpsc, oneshot, watch};
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

/// A log that answers an append before it has happened. For a single writer that is never refused.
pub struct Pipeline {
    log: Arc<dyn EventLog>,
    orders: mpsc::Sender<Order>,
}

enum Order {
    Append(AppendRequest),
    /// Report when everything before is in the log.
    Tell(oneshot::Sender<()>),
}

impl Pipeline {
    /// The task ends when the pipeline is dropped and everything is in the log.
    pub fn open(log: Arc<dyn EventLog>) -> (Arc<Self>, JoinHandle<Position>) {
        let (orders, incoming) = mpsc::channel(WINDOW);
        let task = tokio::spawn(pass_on(Arc::clone(&log), incoming));
        (Arc::new(Self { log, orders }), task)
    }

    async fn finish(&self) {
        let (done, told) = oneshot::channel();
        self.orders.send(Order::Tell(done)).await.unwrap_or_else(|_| panic!("the pipeline is open"));
        told.await.expect("the pipeline is open");
    }
}

type Appending = Pin<Box<dyn Future<Output = Result<Receipt, AppendError>> + Send>>;

async fn pass_on(log: Arc<dyn EventLog>, mut incoming: mpsc::Receiver<Order>) -> Position {
    let mut under_way: VecDeque<Appending> = VecDeque::new();
    let mut last = 0;
    while let Some(order) = incoming.recv().await {
        match order {
            Order::Append(request) => under_way.push_back(begin(Arc::clone(&log), request)),
            Order::Tell(done) => {
                last = finish(under_way.drain(..)).await.unwrap_or(last);
                done.send(()).expect("the caller waits");
            }
        }
        if under_way.len() >= WINDOW {
            last = finish(under_way.drain(..WINDOW / 3)).await.unwrap_or(last);
        }
    }
    finish(under_way.drain(..)).await.unwrap_or(last)
}

/// The first poll puts the request into the appender's queue, which keeps the order.
fn begin(log: Arc<dyn EventLog>, request: AppendRequest) -> Appending {
    let mut appending: Appending = Box::pin(unconstrained(async move { log.append(request).await }));
    match appending.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => panic!("the log answers before it has written: {done:?}"),
        Poll::Pending => appending,
    }
}

async fn finish(appends: impl Iterator<Item = Appending>) -> Option<Position> {
    let mut last = None;
    for appending in appends {
        last = Some(appending.await.expect("nobody else appends").last_position);
    }
    last
}

#[async_trait]
impl EventLog for Pipeline {
    async fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        self.orders.send(Order::Append(request)).await.unwrap_or_else(|_| panic!("the pipeline is open"));
        Ok(Receipt { first_position: 0, last_position: 0, recorded_at: Timestamp::from_micros(0) })
    }

    async fn find_command(&self, command_id: CommandId) -> Result<Option<CommandRecord>, ReadError> {
        self.log.find_command(command_id).await
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<Arc<LogEvent>>, ReadError> {
        self.log.read_after(after, limit).await
    }

    /// Only new things, and agents who had nothing to do for long, are not in the cache of the decisions.
    async fn read_stream(&self, stream: StreamId, after: Sequence) -> Result<Vec<StreamEvent>, ReadError> {
        if after > 0 || stream.kind == AggregateType::Visitor {
            return Ok(vec![]);
        }
        self.finish().await;
        self.log.read_stream(stream, after).await
    }

    async fn find_snapshot(&self, _stream: StreamId, _shape: &str) -> Result<Option<VersionedState>, ReadError> {
        Ok(None)
    }

    /// As the service leaves them: without them it would read years of an agent's events for the first list.
    async fn save_snapshot(&self, stream: StreamId, shape: &str, state: VersionedState) -> Result<(), ReadError> {
        self.log.save_snapshot(stream, shape, state).await
    }

    async fn head(&self) -> Result<LogHead, ReadError> {
        self.log.head().await
    }

    async fn find_grown(&self, seen: &[SeenStream], as_of: Option<AsOf>) -> Result<Growth, ReadError> {
        find_grown_by_reading(self, seen, as_of).await
    }

    fn nothing_read(&self) -> Freshness {
        self.log.nothing_read()
    }

    fn has_broken_down(&self) -> bool {
        self.log.has_broken_down()
    }

    fn known_position(&self) -> watch::Receiver<Position> {
        self.log.known_position()
    }
}
