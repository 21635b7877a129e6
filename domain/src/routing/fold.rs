//! What each event means for the routing state.

use std::collections::BTreeSet;

use super::eligibility::RoutedAgent;
use super::queues::WaitingChat;
use super::state::{RoutingChange, RoutingState};
use crate::agent::{AgentEvent, AgentStatus};
use crate::conversation::{ConversationEvent, QueueReason};
use crate::event::AnyEvent;
use crate::group::GroupEvent;
use crate::ids::{AgentId, ConversationId, EntityId, GroupId};
use crate::workspace::WorkspaceEvent;

impl RoutingState {
    /// Whether an event can matter to the router; messages do not.
    #[must_use]
    pub const fn handles(event: &AnyEvent) -> bool {
        matches!(event, AnyEvent::Conversation(_) | AnyEvent::Agent(_) | AnyEvent::Group(_) | AnyEvent::Workspace(_))
    }

    /// Applies an event and returns what it changed.
    pub fn apply(&mut self, position: i64, aggregate_id: uuid::Uuid, event: &AnyEvent) -> Vec<RoutingChange> {
        match event {
            AnyEvent::Conversation(event) => {
                self.on_conversation(position, ConversationId::from_uuid(aggregate_id), event)
            }
            AnyEvent::Agent(event) => self.on_agent(position, AgentId::from_uuid(aggregate_id), event),
            AnyEvent::Group(event) => self.on_group(GroupId::from_uuid(aggregate_id), event),
            AnyEvent::Workspace(event) => self.on_workspace(event),
            AnyEvent::Thread(_)
            | AnyEvent::Visitor(_)
            | AnyEvent::Tag(_)
            | AnyEvent::EmailClaim(_)
            | AnyEvent::TagNameClaim(_) => vec![],
        }
    }

    fn on_conversation(&mut self, position: i64, id: ConversationId, event: &ConversationEvent) -> Vec<RoutingChange> {
        match event {
            ConversationEvent::ChatStarted { group_id, last_agent_id, at, .. }
            | ConversationEvent::ChatReopened { group_id, last_agent_id, at, .. } => self.begin_wait(
                id,
                WaitingChat {
                    group_id: *group_id,
                    arrival: position,
                    waiting_since: position,
                    since: *at,
                    last_agent_id: *last_agent_id,
                    given_back_by: None,
                    attempts: 0,
                    next_attempt_at: None,
                },
            ),
            ConversationEvent::ChatReturnedToQueue { group_id, previous_agent_id, reason, at, .. } => self.begin_wait(
                id,
                WaitingChat {
                    group_id: *group_id,
                    arrival: self.arrival_after_return(position, id, *reason),
                    waiting_since: position,
                    since: *at,
                    last_agent_id: self.last_agent_after_return(id, *previous_agent_id, *reason),
                    given_back_by: self.given_back_by(id, *previous_agent_id, *reason),
                    attempts: 0,
                    next_attempt_at: None,
                },
            ),
            ConversationEvent::AgentAssigned { agent_id, assignment, .. } => {
                self.end_wait(id, *agent_id, assignment.is_routed())
            }
            ConversationEvent::ChatClosed { .. } => self.close(id),
            ConversationEvent::ChatTagged { .. }
            | ConversationEvent::ChatUntagged { .. }
            | ConversationEvent::VisitorCardChanged { .. } => vec![],
        }
    }

    fn arrival_after_return(&self, position: i64, id: ConversationId, reason: QueueReason) -> i64 {
        match reason {
            // A transfer is a new request to another team. In all other cases the visitor keeps the place.
            QueueReason::Transferred => position,
            QueueReason::AgentOffline
            | QueueReason::AgentDeleted
            | QueueReason::AgentLeftGroup
            | QueueReason::GroupDeleted => self.queues.arrival_of(id).unwrap_or(position),
        }
    }

    fn last_agent_after_return(
        &self,
        id: ConversationId,
        previous_agent_id: Option<AgentId>,
        reason: QueueReason,
    ) -> Option<AgentId> {
        // An agent who transferred the chat must not get it back for having had it.
        if reason == QueueReason::Transferred && previous_agent_id.is_some() {
            return None;
        }
        previous_agent_id.or_else(|| self.waiting(id)?.last_agent_id)
    }

    /// The router must not undo what a person has just done. Chats that wait keep what is known of them.
    fn given_back_by(
        &self,
        id: ConversationId,
        previous_agent_id: Option<AgentId>,
        reason: QueueReason,
    ) -> Option<AgentId> {
        let by_a_person = previous_agent_id.filter(|_| reason == QueueReason::Transferred);
        by_a_person.or_else(|| self.waiting(id)?.given_back_by)
    }

    fn begin_wait(&mut self, id: ConversationId, chat: WaitingChat) -> Vec<RoutingChange> {
        self.dequeue(id);
        self.take_back(id);
        self.wakes.wake([chat.group_id]);
        self.queues.insert(id, chat);
        vec![RoutingChange::Chat(id)]
    }

    fn end_wait(&mut self, id: ConversationId, agent_id: AgentId, is_routed: bool) -> Vec<RoutingChange> {
        let ended = self.dequeue(id);
        // A page of the log may end inside an append: the chat counts as in flight until its slot is read.
        if !self.awaits_slot(id, agent_id) {
            self.take_back(id);
        }
        let mut changes = vec![RoutingChange::Chat(id)];
        let Some(chat) = ended else { return changes };
        self.queues.serve(id, chat.arrival);
        if is_routed && let Some(group) = self.groups.get_mut(&chat.group_id) {
            group.last_assigned = Some(agent_id);
            changes.push(RoutingChange::Group(chat.group_id));
        }
        changes
    }

    fn close(&mut self, id: ConversationId) -> Vec<RoutingChange> {
        self.dequeue(id);
        self.take_back(id);
        self.queues.forget_served(id);
        vec![RoutingChange::Chat(id)]
    }

    fn dequeue(&mut self, id: ConversationId) -> Option<WaitingChat> {
        self.in_flight.end_wait(id);
        self.queues.remove(id)
    }

    /// Whether the log has yet to show the slot of a chat that was proposed to this agent.
    fn awaits_slot(&self, id: ConversationId, agent_id: AgentId) -> bool {
        let has_slot = |agent: &RoutedAgent| agent.slots.contains(&id);
        self.in_flight.is_on_its_way(id, agent_id) && self.agent(agent_id).is_some_and(|agent| !has_slot(agent))
    }

    fn on_agent(&mut self, position: i64, id: AgentId, event: &AgentEvent) -> Vec<RoutingChange> {
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
            return vec![RoutingChange::Agent(id)];
        }
        let Some(agent) = self.agents.get_mut(&id) else { return vec![] };
        let may_free_a_slot = match event {
            AgentEvent::StatusChanged { status, .. } => {
                agent.status = *status;
                if *status == AgentStatus::Offline {
                    self.wakes.relieve([id]);
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
                // A proposal was counted when it was made.
                if !self.in_flight.land(*conversation_id, id) {
                    self.recency.assign(id);
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
                self.wakes.relieve([id]);
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
        if may_free_a_slot {
            self.wake_groups_of(id);
        }
        vec![RoutingChange::Agent(id)]
    }

    fn on_group(&mut self, id: GroupId, event: &GroupEvent) -> Vec<RoutingChange> {
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
        self.wakes.wake([id]);
        vec![RoutingChange::Group(id)]
    }

    fn on_workspace(&mut self, event: &WorkspaceEvent) -> Vec<RoutingChange> {
        match event {
            WorkspaceEvent::DefaultGroupChosen { group_id, .. } => {
                self.default_group_id = Some(*group_id);
                self.wake_all();
                vec![RoutingChange::DefaultGroup]
            }
            WorkspaceEvent::AdminAppointed { .. } | WorkspaceEvent::AdminDismissed { .. } => vec![],
        }
    }
}
