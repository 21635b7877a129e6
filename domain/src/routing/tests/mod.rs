//! Rules of routing.

mod decision;
mod distribution;
mod giving_back;
mod offline_holders;
mod queue;
mod relocation;
mod retries;
mod selection;
mod waking;

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Proposal, RoutingChange, RoutingSnapshot, RoutingState, RoutingStrategy};
use crate::agent::{AgentEvent, AgentStatus, ChatLimit, Role, StatusCause};
use crate::conversation::{Assignment, ConversationEvent, Participant, QueueReason, VisitorCard};
use crate::event::AnyEvent;
use crate::fixtures::{ANNA, SALES, THREAD, VERA, at, decision, email, name};
use crate::group::GroupEvent;
use crate::ids::{AgentId, ConversationId, EntityId, GroupId};
use crate::time::Timestamp;

/// Chats go by number in these tests.
fn chat(number: u128) -> ConversationId {
    ConversationId::new(Uuid::from_u128(number))
}

fn agent(number: u128) -> AgentId {
    AgentId::new(Uuid::from_u128(0xA000 + number))
}

fn limit(chats: i64) -> ChatLimit {
    ChatLimit::new(chats).unwrap()
}

/// Chat and agent of each proposal.
fn pairs(proposals: &[Proposal]) -> Vec<(u128, AgentId)> {
    proposals.iter().map(|proposal| (proposal.conversation_id.uuid().as_u128(), proposal.agent_id)).collect()
}

/// A router and the log that it reads.
#[derive(Clone, Default)]
struct Desk {
    state: RoutingState,
    /// What a store would have to hold.
    changed: BTreeSet<RoutingChange>,
    position: i64,
    now: Timestamp,
}

impl Desk {
    /// One group, least loaded, with these agents online and their limits.
    fn with(agents: &[(AgentId, i64)]) -> Self {
        let mut desk = Self { now: at(0), ..Self::default() };
        desk.group(SALES, RoutingStrategy::LeastLoaded);
        for (agent_id, limit) in agents {
            desk.register(*agent_id, AgentStatus::Online, *limit);
            desk.add(SALES, *agent_id);
        }
        desk
    }

    fn log(&mut self, id: impl EntityId, event: AnyEvent) -> Vec<RoutingChange> {
        self.position += 1;
        let changes = self.state.apply(self.position, id.uuid(), &event);
        self.changed.extend(&changes);
        changes
    }

    fn on_chat(&mut self, number: u128, event: ConversationEvent) -> Vec<RoutingChange> {
        self.log(chat(number), AnyEvent::Conversation(event))
    }

    fn on_agent(&mut self, id: AgentId, event: AgentEvent) -> Vec<RoutingChange> {
        self.log(id, AnyEvent::Agent(event))
    }

    fn on_group(&mut self, id: GroupId, event: GroupEvent) -> Vec<RoutingChange> {
        self.log(id, AnyEvent::Group(event))
    }

    fn group(&mut self, id: GroupId, strategy: RoutingStrategy) {
        self.on_group(id, GroupEvent::GroupCreated { name: name("Group"), description: None, strategy, at: at(0) });
    }

    fn strategy(&mut self, strategy: RoutingStrategy) {
        self.on_group(SALES, GroupEvent::StrategyChanged { strategy, at: at(0) });
    }

    fn add(&mut self, group_id: GroupId, agent_id: AgentId) {
        self.on_group(group_id, GroupEvent::AgentsAdded { agent_ids: BTreeSet::from([agent_id]), at: at(0) });
    }

    fn register(&mut self, id: AgentId, status: AgentStatus, chats: i64) {
        let event = AgentEvent::AgentRegistered {
            name: name("Agent"),
            email: email("agent@example.com"),
            avatar: None,
            role: Role::Agent,
            status,
            accepting_chats: true,
            chat_limit: limit(chats),
            at: at(0),
        };
        self.on_agent(id, event);
    }

    fn status(&mut self, id: AgentId, status: AgentStatus) {
        self.on_agent(id, AgentEvent::StatusChanged { status, cause: StatusCause::LeaseExpired, at: at(0) });
    }

    fn start(&mut self, number: u128) {
        self.start_in(number, SALES, None);
    }

    fn start_in(&mut self, number: u128, group_id: GroupId, last_agent_id: Option<AgentId>) {
        let visitor = VisitorCard { id: VERA, name: None, email: None, phone: None };
        let event =
            ConversationEvent::ChatStarted { visitor, group_id, thread_id: THREAD, last_agent_id, at: self.now };
        self.on_chat(number, event);
    }

    fn assign(&mut self, number: u128, agent_id: AgentId, assignment: Assignment) {
        self.on_chat(number, assigned(agent_id, assignment));
        self.on_agent(agent_id, slot_taken(number));
    }

    fn assign_manually(&mut self, number: u128, agent_id: AgentId) {
        self.assign(number, agent_id, Assignment::Manual { by: ANNA, reason: None, over_limit: false });
    }

    fn give_back(&mut self, number: u128, group_id: GroupId, from: Option<AgentId>, reason: QueueReason) {
        let event = ConversationEvent::ChatReturnedToQueue {
            group_id,
            previous_agent_id: from,
            reason,
            handover: None,
            at: self.now,
        };
        self.on_chat(number, event);
        if let Some(agent_id) = from {
            self.on_agent(agent_id, slot_freed(number));
        }
    }

    fn close(&mut self, number: u128, agent_id: Option<AgentId>) {
        self.on_chat(number, closed(agent_id));
        if let Some(agent_id) = agent_id {
            self.on_agent(agent_id, slot_freed(number));
        }
    }

    fn proposals(&mut self) -> Vec<Proposal> {
        self.state.propose(self.now)
    }

    fn propose(&mut self) -> Vec<(u128, AgentId)> {
        pairs(&self.proposals())
    }

    /// Lets the router decide, and what it decides happen.
    fn settle(&mut self) -> Vec<(u128, AgentId)> {
        let proposals = self.proposals();
        for proposal in proposals.clone() {
            let number = proposal.conversation_id.uuid().as_u128();
            self.assign(number, proposal.agent_id, Assignment::Routed { decision: proposal.decision });
        }
        pairs(&proposals)
    }

    fn fail(&mut self, number: u128, retry_at: Timestamp) -> Option<RoutingChange> {
        let waiting_since = self.state.waiting(chat(number)).unwrap().waiting_since;
        self.state.fail(chat(number), waiting_since, retry_at)
    }

    fn release(&mut self, number: u128) {
        let waiting_since = self.state.waiting(chat(number)).unwrap().waiting_since;
        self.state.release(chat(number), waiting_since);
    }

    /// The groups that the next round would look at.
    fn awake(&self) -> BTreeSet<GroupId> {
        self.state.wakes.clone().take_groups(self.now)
    }

    fn queue(&self, group_id: GroupId) -> Vec<u128> {
        self.state.queue(group_id).map(|id| id.uuid().as_u128()).collect()
    }

    /// What a store holds: all that was reported as changed, as it is now.
    fn snapshot(&self) -> RoutingSnapshot {
        let state = &self.state;
        let mut snapshot = RoutingSnapshot::default();
        for change in &self.changed {
            match *change {
                RoutingChange::Agent(id) => drop(snapshot.agents.insert(id, state.agent(id).unwrap().clone())),
                RoutingChange::Group(id) => drop(snapshot.groups.insert(id, state.group(id).unwrap().clone())),
                RoutingChange::DefaultGroup => snapshot.default_group_id = state.default_group_id(),
                RoutingChange::Chat(id) => {
                    snapshot.waiting.extend(state.waiting(id).map(|chat| (id, chat.clone())));
                    snapshot.served.extend(state.served_arrival(id).map(|arrival| (id, arrival)));
                }
            }
        }
        snapshot
    }

    /// A router that restarts from the stored state.
    fn restarted(&self) -> Self {
        Self { state: RoutingState::restore(self.snapshot()), ..self.clone() }
    }
}

fn routed(agent_id: AgentId) -> Assignment {
    Assignment::Routed { decision: decision(agent_id) }
}

fn assigned(agent_id: AgentId, assignment: Assignment) -> ConversationEvent {
    ConversationEvent::AgentAssigned { agent_id, previous_agent_id: None, thread_id: THREAD, assignment, at: at(1) }
}

fn closed(agent_id: Option<AgentId>) -> ConversationEvent {
    let by = Participant::Visitor(VERA);
    ConversationEvent::ChatClosed { by, reason: name("solved"), notes: None, agent_id, thread_id: THREAD, at: at(9) }
}

fn slot_taken(number: u128) -> AgentEvent {
    AgentEvent::SlotTaken { conversation_id: chat(number), over_limit: false, at: at(1) }
}

fn slot_freed(number: u128) -> AgentEvent {
    AgentEvent::SlotFreed { conversation_id: chat(number), at: at(9) }
}
