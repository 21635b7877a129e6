use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::ids::{AgentId, ConversationId, GroupId};
use crate::time::Timestamp;

/// A chat that waits for an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingChat {
    /// The group in whose queue the chat waits.
    pub group_id: GroupId,
    /// Its place in the queue: the position of the event that made it wait first.
    pub arrival: i64,
    /// The position of the event that made it wait now; it names this wait.
    pub waiting_since: i64,
    /// The time of that event.
    pub since: Timestamp,
    /// The agent of the visitor's previous chat; the sticky strategy prefers them.
    pub last_agent_id: Option<AgentId>,
    /// The agent from whom a person has taken the chat, or who has given it back: others come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_back_by: Option<AgentId>,
    /// Assignments that failed in this wait.
    pub attempts: u32,
    /// When to try again; `None` means at once.
    pub next_attempt_at: Option<Timestamp>,
}

/// A place in a queue: first the earliest arrival.
pub(super) type QueuePlace = (i64, ConversationId);

/// The waiting chats, in the order of their groups' queues, and the places that served chats return to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Queues {
    waiting: BTreeMap<ConversationId, WaitingChat>,
    /// The same chats by group. A group in whose queue no chat waits has no entry.
    by_group: BTreeMap<GroupId, BTreeSet<QueuePlace>>,
    /// The arrival of served chats: a chat whose agent drops it gets its old place back.
    served: BTreeMap<ConversationId, i64>,
}

impl Queues {
    pub(super) fn with_served(served: BTreeMap<ConversationId, i64>) -> Self {
        Self { served, ..Self::default() }
    }

    /// Puts a chat into its group's queue. It must not be in a queue.
    pub(super) fn insert(&mut self, id: ConversationId, chat: WaitingChat) {
        self.served.remove(&id);
        self.by_group.entry(chat.group_id).or_default().insert((chat.arrival, id));
        self.waiting.insert(id, chat);
    }

    pub(super) fn remove(&mut self, id: ConversationId) -> Option<WaitingChat> {
        let chat = self.waiting.remove(&id)?;
        if let Some(queue) = self.by_group.get_mut(&chat.group_id) {
            queue.remove(&(chat.arrival, id));
            if queue.is_empty() {
                self.by_group.remove(&chat.group_id);
            }
        }
        Some(chat)
    }

    /// Counts a failed attempt and returns the chat's group; `None` if this wait has ended.
    pub(super) fn retry_later(&mut self, id: ConversationId, wait: i64, retry_at: Timestamp) -> Option<GroupId> {
        let chat = self.waiting.get_mut(&id).filter(|chat| chat.waiting_since == wait)?;
        chat.attempts += 1;
        chat.next_attempt_at = Some(retry_at);
        Some(chat.group_id)
    }

    pub(super) fn get(&self, id: ConversationId) -> Option<&WaitingChat> {
        self.waiting.get(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The groups in whose queue a chat waits.
    pub(super) fn groups(&self) -> impl Iterator<Item = GroupId> + '_ {
        self.by_group.keys().copied()
    }

    /// A group's queue, first come first.
    pub(super) fn of(&self, group_id: GroupId) -> impl Iterator<Item = ConversationId> + '_ {
        self.by_group.get(&group_id).into_iter().flatten().map(|(_, id)| *id)
    }

    /// The next place in a queue. Step by step, because nearly always the first chat finds no agent and thousands may
    /// wait behind it.
    pub(super) fn after(&self, group_id: GroupId, place: Option<QueuePlace>) -> Option<QueuePlace> {
        let from = place.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_group.get(&group_id)?.range((from, Bound::Unbounded)).next().copied()
    }

    /// The groups in whose queue a chat is: its own while it waits, else none.
    pub(super) fn groups_with(&self, id: ConversationId) -> impl Iterator<Item = GroupId> + '_ {
        let arrival = self.get(id).map(|chat| chat.arrival);
        let holds_it = move |queue: &BTreeSet<QueuePlace>| match arrival {
            Some(arrival) => queue.contains(&(arrival, id)),
            None => queue.iter().any(|(_, queued)| *queued == id),
        };
        self.by_group.iter().filter(move |(_, queue)| holds_it(queue)).map(|(group_id, _)| *group_id)
    }

    /// Remembers the place of a chat that an agent serves from now on.
    pub(super) fn serve(&mut self, id: ConversationId, arrival: i64) {
        self.served.insert(id, arrival);
    }

    pub(super) fn forget_served(&mut self, id: ConversationId) {
        self.served.remove(&id);
    }

    pub(super) fn served_arrival(&self, id: ConversationId) -> Option<i64> {
        self.served.get(&id).copied()
    }

    /// The place of a chat that waits or is served.
    pub(super) fn arrival_of(&self, id: ConversationId) -> Option<i64> {
        self.get(id).map(|chat| chat.arrival).or_else(|| self.served_arrival(id))
    }
}
