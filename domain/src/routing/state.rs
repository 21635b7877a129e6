use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::eligibility::RoutedAgent;
use super::in_flight::InFlight;
use super::queues::{Queues, WaitingChat};
use super::recency::Recency;
use super::wakes::Wakes;
use crate::agent::AgentStatus;
use crate::assignment::RoutingStrategy;
use crate::ids::{AgentId, ConversationId, GroupId};
use crate::time::Timestamp;

/// A group as the router knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoutedGroup {
    pub strategy: RoutingStrategy,
    pub agent_ids: BTreeSet<AgentId>,
    /// The agent whom the router chose last in this group.
    pub last_assigned: Option<AgentId>,
    /// The waiting chats of a deleted group go to the default group.
    pub deleted: bool,
}

/// What an event or a failed attempt changed, so that only that needs to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoutingChange {
    Agent(AgentId),
    Group(GroupId),
    DefaultGroup,
    /// The chat began or ceased to wait, or waits differently.
    Chat(ConversationId),
}

/// The stored parts of the router's state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoutingSnapshot {
    pub agents: BTreeMap<AgentId, RoutedAgent>,
    pub groups: BTreeMap<GroupId, RoutedGroup>,
    pub waiting: BTreeMap<ConversationId, WaitingChat>,
    /// The original places of the chats that are served.
    pub served: BTreeMap<ConversationId, i64>,
    pub default_group_id: Option<GroupId>,
}

/// Everything the router knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoutingState {
    pub(super) agents: BTreeMap<AgentId, RoutedAgent>,
    pub(super) groups: BTreeMap<GroupId, RoutedGroup>,
    /// The group that takes the chats of deleted groups.
    pub(super) default_group_id: Option<GroupId>,
    pub(super) queues: Queues,
    pub(super) in_flight: InFlight,
    pub(super) wakes: Wakes,
    pub(super) recency: Recency,
}

impl RoutingState {
    /// A state from its stored parts. All groups are awake, because the proposals of the process before are lost.
    #[must_use]
    pub fn restore(snapshot: RoutingSnapshot) -> Self {
        let RoutingSnapshot { agents, groups, waiting, served, default_group_id } = snapshot;
        let queues = Queues::with_served(served);
        let mut state = Self { agents, groups, default_group_id, queues, ..Self::default() };
        for (id, chat) in waiting {
            if let Some(at) = chat.next_attempt_at {
                state.wakes.wake_at(at, [chat.group_id]);
            }
            state.queues.insert(id, chat);
        }
        state.wake_all();
        state
    }

    /// An agent, if known; a deleted one is offline.
    #[must_use]
    pub fn agent(&self, id: AgentId) -> Option<&RoutedAgent> {
        self.agents.get(&id)
    }

    /// A group, if known, also a deleted one.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<&RoutedGroup> {
        self.groups.get(&id)
    }

    /// A chat, if it waits.
    #[must_use]
    pub fn waiting(&self, id: ConversationId) -> Option<&WaitingChat> {
        self.queues.get(id)
    }

    /// The group that takes the chats of deleted groups.
    #[must_use]
    pub const fn default_group_id(&self) -> Option<GroupId> {
        self.default_group_id
    }

    /// The original place in the queue of a chat that is served.
    #[must_use]
    pub fn served_arrival(&self, id: ConversationId) -> Option<i64> {
        self.queues.served_arrival(id)
    }

    /// The chats that wait in a group, first come first.
    pub fn queue(&self, group_id: GroupId) -> impl Iterator<Item = ConversationId> + '_ {
        self.queues.of(group_id)
    }

    /// The groups in whose queue a chat is: its own while it waits, else none.
    pub fn queues_with(&self, id: ConversationId) -> impl Iterator<Item = GroupId> + '_ {
        self.queues.groups_with(id)
    }

    /// How many chats wait in all groups together.
    #[must_use]
    pub fn waiting_count(&self) -> usize {
        self.queues.len()
    }

    /// When the next retry is due. Its cause may be gone by then.
    #[must_use]
    pub fn next_retry(&self) -> Option<Timestamp> {
        self.wakes.next_retry()
    }

    /// Makes the next round look at every queue and at every agent who is offline: the safety net under the wake-ups.
    pub fn wake_all(&mut self) {
        let offline_holders: Vec<_> = self.agents.keys().copied().filter(|id| self.is_offline_holder(*id)).collect();
        self.wakes.relieve(offline_holders);
        self.in_flight.forget_overtaken();
        self.wakes.wake(self.queues.groups());
    }

    /// Agents who went offline or were deleted and still hold chats, because one append gives back a bounded number, or
    /// because it failed. Each is returned once, and again after [`Self::wake_all`].
    pub fn offline_holders(&mut self) -> Vec<AgentId> {
        let suspects = self.wakes.take_to_relieve();
        suspects.into_iter().filter(|agent_id| self.is_offline_holder(*agent_id)).collect()
    }

    fn is_offline_holder(&self, id: AgentId) -> bool {
        self.agent(id).is_some_and(|agent| agent.status == AgentStatus::Offline && !agent.slots.is_empty())
    }

    pub(super) fn groups_of(&self, agent_id: AgentId) -> Vec<GroupId> {
        let has_agent = |(_, group): &(&GroupId, &RoutedGroup)| group.agent_ids.contains(&agent_id);
        self.groups.iter().filter(has_agent).map(|(group_id, _)| *group_id).collect()
    }

    pub(super) fn wake_groups_of(&mut self, agent_id: AgentId) {
        let groups = self.groups_of(agent_id);
        self.wakes.wake(groups);
    }

    /// Takes back what was ordered for a chat. The slot may serve another chat in any group of its agent.
    pub(super) fn take_back(&mut self, id: ConversationId) {
        if let Some(agent_id) = self.in_flight.take_back(id) {
            self.wake_groups_of(agent_id);
        }
    }
}
