//! Which requests are appended together.

use std::collections::{HashMap, HashSet, VecDeque};

use application::ports::{AppendError, Receipt, Sequence, StreamId};
use domain::ids::CommandId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::request::{MAX_EVENTS, Prepared};

/// The most payload of a batch in bytes; the first request of a batch may be larger.
const MAX_PAYLOAD: usize = 1 << 20;

/// So many requests that wait are appended before those who were appended last are answered: the database works on them
/// meanwhile. Fewer wait for those, so that they go together.
const CROWD: usize = 24;

/// A request and who waits for the answer.
pub(crate) struct Pending {
    pub(crate) request: Prepared,
    pub(crate) since: Instant,
    pub(crate) answer: oneshot::Sender<Result<Receipt, AppendError>>,
}

/// Requests that are meant to go together, without those that are known to exclude each other.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) requests: Vec<Pending>,
    versions: HashMap<StreamId, Sequence>,
    commands: HashSet<CommandId>,
    events: usize,
    payload_bytes: usize,
}

impl Batch {
    /// Takes a request, or gives it back because it must wait for the next batch.
    fn add(&mut self, pending: Pending) -> Option<Pending> {
        let request = &pending.request;
        let fits = self.requests.is_empty()
            || (self.events + request.events.len() <= MAX_EVENTS
                && self.payload_bytes + request.payload_bytes <= MAX_PAYLOAD);
        // A request that builds on one that is in the batch goes with it; one that contradicts it would only spoil
        // the batch for everybody.
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

/// The requests that wait.
pub(crate) struct Queue {
    incoming: mpsc::Receiver<Pending>,
    deferred: VecDeque<Pending>,
}

impl Queue {
    pub(crate) fn new(incoming: mpsc::Receiver<Pending>) -> Self {
        Self { incoming, deferred: VecDeque::new() }
    }

    /// Waits for a request and takes along whatever waits with it. `None` when nobody can send any more.
    pub(crate) async fn next_batch(&mut self) -> Option<Batch> {
        let mut waiting = std::mem::take(&mut self.deferred);
        if waiting.is_empty() {
            waiting.push_back(self.incoming.recv().await?);
        }
        // Callers that were answered just now get the chance to come back with their next request.
        tokio::task::yield_now().await;
        Some(self.gather(waiting))
    }

    /// Takes whatever waits, if it is much. `None` when it is not.
    pub(crate) fn next_crowd(&mut self) -> Option<Batch> {
        let is_crowd = self.deferred.len() + self.incoming.len() >= CROWD;
        is_crowd.then(|| {
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
        let mut queue = Queue::new(incoming);
        let mut sizes = Vec::new();
        while let Some(batch) = queue.next_batch().await {
            sizes.push(batch.requests.len());
        }
        sizes
    }

    #[tokio::test]
    async fn what_waits_goes_together_within_bounds() {
        assert_eq!(batches((0..300).map(|id| pending(&[(stream(id), 0, 10)])).collect()).await, [100, 100, 100]);
        assert_eq!(batches(vec![pending(&[(stream(1), 0, 1_000)]), pending(&[(stream(2), 0, 1)])]).await, [1, 1]);
    }

    #[tokio::test]
    async fn crowd_is_taken_as_it_waits_and_fewer_are_left() {
        let (sender, incoming) = mpsc::channel(10_000);
        let mut queue = Queue::new(incoming);
        let push = |count: usize| {
            for id in 0..count {
                sender.try_send(pending(&[(stream(id as u128), 0, 1)])).ok().unwrap();
            }
        };
        push(CROWD - 1);
        assert!(queue.next_crowd().is_none());
        push(1);
        // The last one contradicts the first, and waits for the next batch.
        assert_eq!(queue.next_crowd().map(|batch| batch.requests.len()), Some(CROWD - 1));
        assert!(queue.next_crowd().is_none());
        // Who was deferred counts, and comes first.
        sender.try_send(pending(&[(stream(0), 1, 1)])).ok().unwrap();
        for id in 1..CROWD - 1 {
            sender.try_send(pending(&[(stream(id as u128 + 100), 0, 1)])).ok().unwrap();
        }
        let crowd = queue.next_crowd().unwrap();
        assert_eq!(crowd.requests.len(), CROWD);
        assert_eq!(crowd.requests[0].request.streams[0].expected, 0);
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
    async fn who_rests_on_what_the_batch_changes_waits() {
        let change = || pending(&[(stream(1), 3, 1)]);
        assert_eq!(batches(vec![change(), observer(2, (stream(1), 3)), observer(3, (stream(1), 4))]).await, [1, 2]);
        assert_eq!(batches(vec![change(), observer(2, (stream(1), 4))]).await, [2]);
        assert_eq!(batches(vec![observer(2, (stream(1), 3)), change()]).await, [2]);
    }
}
