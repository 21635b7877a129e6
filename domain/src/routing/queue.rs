//! The router's state: folded from the log, asked for proposals.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::eligibility::RoutedAgent;
use crate::agent::{AgentEvent, AgentStatus};
use crate::assignment::{RoutingDecision, RoutingStrategy};
use crate::conversation::{ConversationEvent, QueueReason};
use crate::event::AnyEvent;
use crate::group::GroupEvent;
use crate::ids::{AgentId, ConversationId, EntityId, GroupId};
use crate::time::Timestamp;
use crate::workspace::WorkspaceEvent;

/// A group as the router knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoutedGroup {
    /// How its chats find their agents.
    pub strategy: RoutingStrategy,
    pub agent_ids: BTreeSet<AgentId>,
    /// Whom the router chose last.
    pub last_assigned: Option<AgentId>,
    /// Whether it was deleted; its waiting chats then wait for a person.
    pub deleted: bool,
}

/// A chat that waits for an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingChat {
    /// The queue it waits in.
    pub group_id: GroupId,
    /// Its place in the queue: the position of the event that made it wait first.
    pub arrival: i64,
    /// The position of the event that made it wait now; it names this wait.
    pub waiting_since: i64,
    /// When it began to wait.
    pub since: Timestamp,
    /// The agent of the visitor's last chat.
    pub last_agent_id: Option<AgentId>,
    /// How often an assignment has failed.
    pub attempts: u32,
    /// When to try again; at once when absent.
    pub next_attempt_at: Option<Timestamp>,
}

/// What a fold or a proposal changed, so that only that needs to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    Agent(AgentId),
    Group(GroupId),
    /// Another group is the default.
    DefaultGroup,
    /// A chat began or ceased to wait, or waits differently.
    Chat(ConversationId),
}

/// A choice of the router that is not yet carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The chat.
    pub conversation_id: ConversationId,
    pub agent_id: AgentId,
    /// The group in whose queue it waits.
    pub group_id: GroupId,
    /// The position that names the wait it ends.
    pub waiting_since: i64,
    /// How it came about.
    pub decision: RoutingDecision,
}

/// A chat that waits in a deleted group and has to wait in the default group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// The chat.
    pub conversation_id: ConversationId,
    /// The position that names the wait it ends.
    pub waiting_since: i64,
    /// Where it goes.
    pub group_id: GroupId,
}

/// How a chat began to wait.
struct Wait {
    group_id: GroupId,
    arrival: i64,
    position: i64,
    last_agent_id: Option<AgentId>,
    at: Timestamp,
}

/// Everything the router knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoutingState {
    pub(super) agents: BTreeMap<AgentId, RoutedAgent>,
    pub(super) groups: BTreeMap<GroupId, RoutedGroup>,
    pub(super) waiting: BTreeMap<ConversationId, WaitingChat>,
    /// The waiting chats of each group in their order.
    pub(super) queues: BTreeMap<GroupId, BTreeSet<(i64, ConversationId)>>,
    /// The original place of chats that are served: they get it back when their agent drops them.
    pub(super) served: BTreeMap<ConversationId, i64>,
    /// Proposals that are being carried out.
    pub(super) in_flight: BTreeMap<ConversationId, AgentId>,
    /// Waiting chats of which the log already knows better; they are left alone until it tells.
    pub(super) overtaken: BTreeSet<ConversationId>,
    /// Chats that are being moved out of deleted groups.
    pub(super) relocating: BTreeSet<ConversationId>,
    /// Deleted groups in whose queue chats may wait.
    pub(super) to_clear: BTreeSet<GroupId>,
    /// Agents who left work, whose chats have to be given back.
    pub(super) to_relieve: BTreeSet<AgentId>,
    /// Groups in which something happened that might let a chat go on.
    pub(super) awake: BTreeSet<GroupId>,
    /// The group that takes what no other group takes.
    pub(super) default_group_id: Option<GroupId>,
    /// When to wake which group because of a failed attempt.
    pub(super) retries: BTreeSet<(Timestamp, GroupId)>,
    /// Whom each group's last proposal chose, which may not have reached the log yet.
    pub(super) last_proposed: BTreeMap<GroupId, AgentId>,
    /// The order in which agents got their last chat since this state was restored; higher is later.
    pub(super) recency: BTreeMap<AgentId, u64>,
    /// How many assignments `recency` has counted.
    pub(super) assignments: u64,
}

impl RoutingState {
    /// A state from its stored parts. All groups are awake.
    #[must_use]
    pub fn restore(
        agents: BTreeMap<AgentId, RoutedAgent>,
        groups: BTreeMap<GroupId, RoutedGroup>,
        waiting: BTreeMap<ConversationId, WaitingChat>,
        served: BTreeMap<ConversationId, i64>,
        default_group_id: Option<GroupId>,
    ) -> Self {
        let mut state = Self { agents, groups, served, default_group_id, ..Self::default() };
        for (conversation_id, chat) in waiting {
            state.insert_waiting(conversation_id, chat);
        }
        state.wake_all();
        state
    }

    /// An agent, if known; a deleted one is offline.
    #[must_use]
    pub fn agent(&self, id: AgentId) -> Option<&RoutedAgent> {
        self.agents.get(&id)
    }

    /// A group, if known.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<&RoutedGroup> {
        self.groups.get(&id)
    }

    /// A chat, if it waits.
    #[must_use]
    pub fn waiting(&self, id: ConversationId) -> Option<&WaitingChat> {
        self.waiting.get(&id)
    }

    /// The group that takes what no other group takes.
    #[must_use]
    pub const fn default_group_id(&self) -> Option<GroupId> {
        self.default_group_id
    }

    /// The original place in the queue of a chat that is served.
    #[must_use]
    pub fn served_arrival(&self, id: ConversationId) -> Option<i64> {
        self.served.get(&id).copied()
    }

    /// The chats that wait in a group, first come first.
    pub fn queue(&self, group_id: GroupId) -> impl Iterator<Item = ConversationId> + '_ {
        self.queues.get(&group_id).into_iter().flatten().map(|(_, conversation_id)| *conversation_id)
    }

    /// How many chats wait in all.
    #[must_use]
    pub fn waiting_count(&self) -> usize {
        self.waiting.len()
    }

    /// Whether an event can matter to the router; messages do not.
    #[must_use]
    pub const fn handles(event: &AnyEvent) -> bool {
        matches!(event, AnyEvent::Conversation(_) | AnyEvent::Agent(_) | AnyEvent::Group(_) | AnyEvent::Workspace(_))
    }

    /// Takes in an event and tells what it changed.
    pub fn apply(&mut self, position: i64, aggregate_id: uuid::Uuid, event: &AnyEvent) -> Vec<Change> {
        match event {
            AnyEvent::Conversation(event) => {
                self.on_conversation(position, ConversationId::from_uuid(aggregate_id), event)
            }
            AnyEvent::Agent(event) => self.on_agent(position, AgentId::from_uuid(aggregate_id), event),
            AnyEvent::Group(event) => self.on_group(GroupId::from_uuid(aggregate_id), event),
            AnyEvent::Thread(_)
            | AnyEvent::Visitor(_)
            | AnyEvent::Tag(_)
            | AnyEvent::EmailClaim(_)
            | AnyEvent::TagNameClaim(_) => vec![],
            AnyEvent::Workspace(WorkspaceEvent::DefaultGroupChosen { group_id, .. }) => {
                self.default_group_id = Some(*group_id);
                self.wake_all();
                vec![Change::DefaultGroup]
            }
            AnyEvent::Workspace(WorkspaceEvent::AdminAppointed { .. } | WorkspaceEvent::AdminDismissed { .. }) => {
                vec![]
            }
        }
    }

    fn on_conversation(&mut self, position: i64, id: ConversationId, event: &ConversationEvent) -> Vec<Change> {
        match event {
            ConversationEvent::ChatStarted { group_id, last_agent_id, at, .. }
            | ConversationEvent::ChatReopened { group_id, last_agent_id, at, .. } => {
                self.begin_wait(
                    id,
                    Wait { group_id: *group_id, arrival: position, position, last_agent_id: *last_agent_id, at: *at },
                );
            }
            ConversationEvent::AgentAssigned { agent_id, assignment, .. } => {
                return self.end_wait(id, Some((*agent_id, assignment.is_routed())));
            }
            ConversationEvent::ChatReturnedToQueue { group_id, previous_agent_id, reason, at, .. } => {
                let arrival = match reason {
                    // A transfer is a new request to another team; the rest is not the visitor's doing.
                    QueueReason::Transferred => position,
                    QueueReason::AgentOffline
                    | QueueReason::AgentDeleted
                    | QueueReason::AgentLeftGroup
                    | QueueReason::GroupDeleted => self.arrival_of(id).unwrap_or(position),
                };
                let last_agent_id = match reason {
                    // Whoever gave the chat away should not get it back for having had it.
                    QueueReason::Transferred if previous_agent_id.is_some() => None,
                    QueueReason::Transferred
                    | QueueReason::AgentOffline
                    | QueueReason::AgentDeleted
                    | QueueReason::AgentLeftGroup
                    | QueueReason::GroupDeleted => previous_agent_id.or_else(|| self.waiting(id)?.last_agent_id),
                };
                self.begin_wait(id, Wait { group_id: *group_id, arrival, position, last_agent_id, at: *at });
            }
            ConversationEvent::ChatClosed { .. } => return self.end_wait(id, None),
            ConversationEvent::ChatTagged { .. }
            | ConversationEvent::ChatUntagged { .. }
            | ConversationEvent::VisitorCardChanged { .. } => return vec![],
        }
        vec![Change::Chat(id)]
    }

    fn on_agent(&mut self, position: i64, id: AgentId, event: &AgentEvent) -> Vec<Change> {
        if let AgentEvent::AgentRegistered { status, accepting_chats, chat_limit, .. } = event {
            let agent = RoutedAgent {
                status: *status,
                accepting_chats: *accepting_chats,
                chat_limit: *chat_limit,
                slots: BTreeSet::new(),
                last_assigned: 0,
                deleted: false,
            };
            self.agents.insert(id, agent);
            self.wake_groups_of(id);
            return vec![Change::Agent(id)];
        }
        let Some(agent) = self.agents.get_mut(&id) else { return vec![] };
        let may_free = match event {
            AgentEvent::StatusChanged { status, .. } => {
                agent.status = *status;
                if *status == AgentStatus::Offline {
                    self.to_relieve.insert(id);
                }
                *status == AgentStatus::Online
            }
            AgentEvent::ChatsAccepted { .. } => {
                agent.accepting_chats = true;
                true
            }
            AgentEvent::ChatsDeclined { .. } => {
                agent.accepting_chats = false;
                false
            }
            AgentEvent::LimitChanged { chat_limit, .. } => {
                agent.chat_limit = *chat_limit;
                true
            }
            AgentEvent::SlotTaken { conversation_id, .. } => {
                agent.slots.insert(*conversation_id);
                agent.last_assigned = position;
                if self.in_flight.get(conversation_id) == Some(&id) {
                    self.in_flight.remove(conversation_id);
                } else {
                    self.touch(id);
                }
                false
            }
            AgentEvent::SlotFreed { conversation_id, .. } => {
                agent.slots.remove(conversation_id);
                true
            }
            AgentEvent::AgentDeleted { .. } => {
                agent.status = AgentStatus::Offline;
                agent.deleted = true;
                self.to_relieve.insert(id);
                false
            }
            AgentEvent::AgentRestored { .. } => {
                agent.deleted = false;
                true
            }
            AgentEvent::AgentRegistered { .. }
            | AgentEvent::ProfileChanged { .. }
            | AgentEvent::EmailChanged { .. }
            | AgentEvent::RoleChanged { .. }
            | AgentEvent::PasswordChanged { .. } => return vec![],
        };
        if may_free {
            self.wake_groups_of(id);
        }
        vec![Change::Agent(id)]
    }

    fn on_group(&mut self, id: GroupId, event: &GroupEvent) -> Vec<Change> {
        let group = self.groups.entry(id).or_default();
        match event {
            GroupEvent::GroupCreated { strategy, .. } | GroupEvent::StrategyChanged { strategy, .. } => {
                group.strategy = *strategy;
            }
            GroupEvent::AgentsAdded { agent_ids, .. } => group.agent_ids.extend(agent_ids),
            GroupEvent::AgentRemoved { agent_id, .. } => {
                group.agent_ids.remove(agent_id);
            }
            GroupEvent::GroupDeleted { .. } => group.deleted = true,
            GroupEvent::GroupRestored { .. } => group.deleted = false,
            GroupEvent::GroupDescribed { .. } => return vec![],
        }
        self.awake.insert(id);
        vec![Change::Group(id)]
    }

    fn begin_wait(&mut self, id: ConversationId, wait: Wait) {
        self.remove_waiting(id);
        self.served.remove(&id);
        self.drop_in_flight(id);
        let chat = WaitingChat {
            group_id: wait.group_id,
            arrival: wait.arrival,
            waiting_since: wait.position,
            since: wait.at,
            last_agent_id: wait.last_agent_id,
            attempts: 0,
            next_attempt_at: None,
        };
        self.insert_waiting(id, chat);
        self.awake.insert(wait.group_id);
    }

    fn end_wait(&mut self, id: ConversationId, assigned: Option<(AgentId, bool)>) -> Vec<Change> {
        let mut changes = vec![Change::Chat(id)];
        let ended = self.remove_waiting(id);
        // A page of the log may end inside an append: the chat counts as handed over until its slot is seen.
        if !assigned.is_some_and(|(agent_id, _)| self.awaits_slot(id, agent_id)) {
            self.drop_in_flight(id);
        }
        match (assigned, &ended) {
            (Some((agent_id, routed)), Some(chat)) => {
                self.served.insert(id, chat.arrival);
                if routed && let Some(group) = self.groups.get_mut(&chat.group_id) {
                    group.last_assigned = Some(agent_id);
                    changes.push(Change::Group(chat.group_id));
                }
            }
            (Some(_), None) => {}
            (None, _) => {
                self.served.remove(&id);
            }
        }
        changes
    }
}
