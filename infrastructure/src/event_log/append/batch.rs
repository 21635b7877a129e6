//! Chooses the requests that are appended together.

use std::collections::{HashMap, HashSet, VecDeque};

use application::ports::{AppendError, Receipt, Sequence, StreamId};
use domain::ids::CommandId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::request::{MAX_EVENTS, Prepared};

/// The most payload of a batch in bytes; the first request of a batch may be larger.
const MAX_PAYLOAD: usize = 1 << 20;

/// With this many waiting requests, the next batch goes to the database before the callers of the last one are answered.
/// With fewer, the answers come first, so that the callers' next requests join the batch.
const FULL_BATCH: usize = 24;

/// A request, and the channel for its answer.
pub(crate) struct Pending {
    pub(crate) request: Prepared,
    pub(crate) since: Instant,
    pub(crate) answer: oneshot::Sender<Result<Receipt, AppendError>>,
}

/// Requests that go together. None of them contradicts another one.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) requests: Vec<Pending>,
    versions: HashMap<StreamId, Sequence>,
    commands: HashSet<CommandId>,
    events: usize,
    payload_bytes: usize,
}

impl Batch {
    /// Takes a request, or returns it because it has to wait for the next batch.
    fn add(&mut self, pending: Pending) -> Option<Pending> {
        let request = &pending.request;
        let fits = self.requests.is_empty()
            || (self.events + request.events.len() <= MAX_EVENTS
                && self.payload_bytes + request.payload_bytes <= MAX_PAYLOAD);
        // A request may build on another one of the batch. One that contradicts another would make the whole batch fail.
        let agrees = request
            .streams
            .iter()
            .all(|stream| self.versions.get(&stream.stream).is_none_or(|version| *version == stream.expected));
        let stands = request
            .observed
            .iter()
            .all(|observed| self.versions.get(&observed.stream).is_none_or(|version| *version == observed.version));
        let repeated = request.request_digest.is_some() && self.commands.contains(&request.command_id);
        if !fits || !agrees || !stands || repeated {
            return Some(pending);
        }
        self.events += request.events.len();
        self.payload_bytes += request.payload_bytes;
        self.versions.extend(request.streams.iter().map(|stream| (stream.stream, stream.after)));
        self.commands.insert(request.command_id);
        self.requests.push(pending);
        None
    }
}

/// The waiting requests.
pub(crate) struct AppendQueue {
    incoming: mpsc::Receiver<Pending>,
    deferred: VecDeque<Pending>,
}

impl AppendQueue {
    pub(crate) fn new(incoming: mpsc::Receiver<Pending>) -> Self {
        Self { incoming, deferred: VecDeque::new() }
    }

    /// Waits for a request, and takes everything that waits with it. `None` after the last sender is gone.
    pub(crate) async fn next_batch(&mut self) -> Option<Batch> {
        let mut waiting = std::mem::take(&mut self.deferred);
        if waiting.is_empty() {
            waiting.push_back(self.incoming.recv().await?);
        }
        // Callers that have just been answered get the chance to send their next request.
        tokio::task::yield_now().await;
        Some(self.gather(waiting))
    }

    /// Takes all waiting requests if they fill a batch.
    pub(crate) fn next_full_batch(&mut self) -> Option<Batch> {
        let is_full = self.deferred.len() + self.incoming.len() >= FULL_BATCH;
        is_full.then(|| {
            let waiting = std::mem::take(&mut self.deferred);
            self.gather(waiting)
        })
    }

    fn gather(&mut self, mut waiting: VecDeque<Pending>) -> Batch {
        let mut batch = Batch::default();
        while let Some(pending) = waiting.pop_front() {
            self.deferred.extend(batch.add(pending));
        }
        while self.deferred.is_empty() {
            let Ok(pending) = self.incoming.try_recv() else { break };
            self.deferred.extend(batch.add(pending));
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Dialect;
    use crate::event_log::testing::{append, observing, stream};

    fn pending(streams: &[(StreamId, Sequence, usize)]) -> Pending {
        let request = Prepared::new(append(streams), Dialect::Sqlite).unwrap();
        Pending { request, since: Instant::now(), answer: oneshot::channel().0 }
    }

    fn observer(id: u128, observed: (StreamId, Sequence)) -> Pending {
        let request = observing(append(&[(stream(id), 0, 1)]), &[observed]);
        let request = Prepared::new(request, Dialect::Sqlite).unwrap();
        Pending { request, since: Instant::now(), answer: oneshot::channel().0 }
    }

    async fn batches(requests: Vec<Pending>) -> Vec<usize> {
        let (sender, incoming) = mpsc::channel(10_000);
        for request in requests {
            sender.try_send(request).ok().unwrap();
        }
        drop(sender);
        let mut queue = AppendQueue::new(incoming);
        let mut sizes = Vec::new();
        while let Some(batch) = queue.next_batch().await {
            sizes.push(batch.requests.len());
        }
        sizes
    }

    #[tokio::test]
    async fn waiting_requests_go_together_within_bounds() {
        assert_eq!(batches((0..300).map(|id| pending(&[(stream(id), 0, 10)])).collect()).await, [100, 100, 100]);
        assert_eq!(batches(vec![pending(&[(stream(1), 0, 1_000)]), pending(&[(stream(2), 0, 1)])]).await, [1, 1]);
    }

    #[tokio::test]
    async fn full_batch_is_taken_at_once_and_fewer_requests_are_left() {
        let (sender, incoming) = mpsc::channel(10_000);
        let mut queue = AppendQueue::new(incoming);
        let push = |count: usize| {
            for id in 0..count {
                sender.try_send(pending(&[(stream(id as u128), 0, 1)])).ok().unwrap();
            }
        };
        push(FULL_BATCH - 1);
        assert!(queue.next_full_batch().is_none());
        push(1);
        // The last one contradicts the first, and waits for the next batch.
        assert_eq!(queue.next_full_batch().map(|batch| batch.requests.len()), Some(FULL_BATCH - 1));
        assert!(queue.next_full_batch().is_none());
        // Deferred requests count, and come first.
        sender.try_send(pending(&[(stream(0), 1, 1)])).ok().unwrap();
        for id in 1..FULL_BATCH - 1 {
            sender.try_send(pending(&[(stream(id as u128 + 100), 0, 1)])).ok().unwrap();
        }
        let full = queue.next_full_batch().unwrap();
        assert_eq!(full.requests.len(), FULL_BATCH);
        assert_eq!(full.requests[0].request.streams[0].expected, 0);
    }

    #[tokio::test]
    async fn requests_that_follow_each_other_go_together() {
        assert_eq!(batches((0..5).map(|version| pending(&[(stream(1), version, 1)])).collect()).await, [5]);
    }

    #[tokio::test]
    async fn contradiction_waits_for_the_next_batch() {
        let requests =
            vec![pending(&[(stream(1), 0, 1)]), pending(&[(stream(1), 0, 1)]), pending(&[(stream(2), 0, 1)])];
        assert_eq!(batches(requests).await, [1, 2]);
    }

    #[tokio::test]
    async fn request_that_observes_a_stream_of_the_batch_waits() {
        let change = || pending(&[(stream(1), 3, 1)]);
        assert_eq!(batches(vec![change(), observer(2, (stream(1), 3)), observer(3, (stream(1), 4))]).await, [1, 2]);
        assert_eq!(batches(vec![change(), observer(2, (stream(1), 4))]).await, [2]);
        assert_eq!(batches(vec![observer(2, (stream(1), 3)), change()]).await, [2]);
    }
}
