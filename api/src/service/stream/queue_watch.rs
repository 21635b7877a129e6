//! Shows waiting visitors their places, and agents the queues of their groups, while these change.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use application::chat::may_read_all;
use application::ports::{Position, Principal};
use domain::ids::{EntityId as _, GroupId, VisitorId};
use domain::time::Timestamp;
use projections::conversations::WaitingChat;
use uuid::Uuid;

use super::frames::Ephemeral;
use super::hub::Hub;
use super::reader::Reader;
use super::seats::MomentKey;
use crate::service::Refusal;

/// The shortest time between two frames about one queue.
const AT_MOST_EVERY: Duration = Duration::from_secs(2);

/// The most waiting chats that are looked at. Those behind them learn their places from REST.
const MOST_WAITING: u32 = 10_000;

type Frame = (MomentKey, Arc<str>);

/// What the queues look like, each frame made once for all its readers.
struct Queues {
    places: BTreeMap<VisitorId, Vec<Frame>>,
    groups: BTreeMap<GroupId, Frame>,
}

#[derive(Clone, Copy, Default)]
struct Queue {
    waiting: usize,
    since: Option<Timestamp>,
}

impl Hub {
    /// Looks at the queues every two seconds while there are readers, until the task is dropped.
    pub async fn watch_queues(self: Arc<Self>) {
        // The position and the number of seats at the last look, and the groups that had somebody waiting then.
        let (mut seen, mut groups): ((Position, u64), Vec<GroupId>) = ((-1, 0), vec![]);
        loop {
            self.clock.sleep(AT_MOST_EVERY).await;
            let now = (self.head.load(Ordering::SeqCst), self.seats.taken());
            if now == seen || self.seats.all().is_empty() {
                continue;
            }
            match self.look_at_queues(&groups).await {
                Ok(waiting) => (seen, groups) = (now, waiting),
                Err(refusal) => tracing::debug!(code = refusal.code.as_str(), "the queues could not be read"),
            }
        }
    }

    /// Shows the queues, also those that have become empty. The result is the groups whose queues were ever shown.
    async fn look_at_queues(&self, before: &[GroupId]) -> Result<Vec<GroupId>, Refusal> {
        let queues = Queues::of(self.renderer.conversations.list_waiting(MOST_WAITING).await?, before);
        for seat in self.seats.all() {
            seat.show_queues(queues.for_reader(&seat.reader));
        }
        Ok(queues.groups.into_keys().collect())
    }
}

impl Queues {
    /// Of chats in the order of their groups' queues, and of groups that had some before.
    fn of(waiting: Vec<WaitingChat>, before: &[GroupId]) -> Self {
        let mut groups: BTreeMap<GroupId, Queue> = before.iter().map(|id| (*id, Queue::default())).collect();
        let mut places: BTreeMap<VisitorId, Vec<Frame>> = BTreeMap::new();
        for chat in waiting {
            let queue = groups.entry(chat.group_id).or_default();
            queue.waiting += 1;
            queue.since = [queue.since, Some(chat.waiting_since)].into_iter().flatten().min();
            let (conversation_id, queue_position) =
                (chat.conversation_id, i64::try_from(queue.waiting).unwrap_or(i64::MAX));
            let frame = Ephemeral::QueuePosition { conversation_id, queue_position };
            let key = ("queue_position", conversation_id.uuid(), Uuid::nil());
            places.entry(chat.visitor_id).or_default().push((key, frame.into_json().into()));
        }
        Self { places, groups: groups.into_iter().map(|(id, queue)| (id, queue.frame(id))).collect() }
    }

    fn for_reader(&self, reader: &Reader) -> Vec<Frame> {
        if let Principal::Visitor { id } = reader.principal {
            return self.places.get(&id).cloned().unwrap_or_default();
        }
        let sees_all = may_read_all(reader.principal);
        let groups = self.groups.iter().filter(|(id, _)| sees_all || reader.groups.contains(id));
        groups.map(|(_, frame)| frame.clone()).collect()
    }
}

impl Queue {
    fn frame(self, group_id: GroupId) -> Frame {
        let Self { waiting, since: waiting_since } = self;
        let frame = Ephemeral::Queue { group_id, waiting, waiting_since };
        (("queue", group_id.uuid(), Uuid::nil()), frame.into_json().into())
    }
}
