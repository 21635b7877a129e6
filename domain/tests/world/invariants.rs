//! What is true after every step.

use std::collections::{BTreeMap, BTreeSet};

use domain::agent::{AgentEvent, AgentStatus};
use domain::conversation::{Assignment, ConversationEvent, ConversationStatus};
use domain::event::AnyEvent;
use domain::ids::{AgentId, ConversationId, EntityId};
use domain::thread::ThreadEvent;
use uuid::Uuid;

use super::World;

/// What follows from the events alone, counted without the aggregates.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    closed_threads: BTreeSet<Uuid>,
    slots: BTreeMap<Uuid, BTreeSet<ConversationId>>,
    limits: BTreeMap<Uuid, usize>,
    /// The most chats that an agent may have: the limit, or what a supervisor or a lowered limit has left.
    allowed: BTreeMap<Uuid, usize>,
    assigned: BTreeMap<Uuid, AgentId>,
}

impl Ledger {
    pub fn enter(&mut self, id: Uuid, event: &AnyEvent) {
        match event {
            AnyEvent::Thread(event) => self.enter_thread(id, event),
            AnyEvent::Agent(event) => self.enter_agent(id, event),
            AnyEvent::Conversation(event) => self.enter_chat(id, event),
            AnyEvent::Visitor(_)
            | AnyEvent::Group(_)
            | AnyEvent::Tag(_)
            | AnyEvent::EmailClaim(_)
            | AnyEvent::TagNameClaim(_)
            | AnyEvent::Workspace(_) => {}
        }
    }

    fn enter_thread(&mut self, id: Uuid, event: &ThreadEvent) {
        assert!(!self.closed_threads.contains(&id), "nothing happens in a closed thread: {event:?}");
        if let ThreadEvent::ThreadClosed { .. } = event {
            self.closed_threads.insert(id);
        }
    }

    fn enter_chat(&mut self, id: Uuid, event: &ConversationEvent) {
        match event {
            ConversationEvent::AgentAssigned { agent_id, previous_agent_id, assignment, .. } => {
                let before = self.assigned.insert(id, *agent_id);
                assert_eq!(before, *previous_agent_id, "the event names the agent that served before");
                let routed = matches!(assignment, Assignment::Routed { .. });
                assert!(!routed || before.is_none(), "the router replaced an agent");
            }
            ConversationEvent::ChatReturnedToQueue { .. } | ConversationEvent::ChatClosed { .. } => {
                self.assigned.remove(&id);
            }
            ConversationEvent::ChatStarted { .. }
            | ConversationEvent::ChatReopened { .. }
            | ConversationEvent::ChatTagged { .. }
            | ConversationEvent::ChatUntagged { .. }
            | ConversationEvent::VisitorCardChanged { .. } => {}
        }
    }

    fn enter_agent(&mut self, id: Uuid, event: &AgentEvent) {
        let slots = self.slots.entry(id).or_default();
        match event {
            AgentEvent::AgentRegistered { chat_limit, .. } | AgentEvent::LimitChanged { chat_limit, .. } => {
                self.limits.insert(id, chat_limit.get());
                self.allowed.insert(id, chat_limit.get().max(slots.len()));
            }
            AgentEvent::SlotTaken { conversation_id, over_limit, .. } => {
                assert_eq!(*over_limit, slots.len() >= self.limits[&id], "over the limit, recorded as such");
                assert!(slots.insert(*conversation_id), "one slot for one chat");
                if *over_limit {
                    self.allowed.insert(id, slots.len());
                }
            }
            AgentEvent::SlotFreed { conversation_id, .. } => {
                assert!(slots.remove(conversation_id), "only a taken slot is freed");
                self.allowed.insert(id, self.limits[&id].max(slots.len()));
            }
            AgentEvent::StatusChanged { .. }
            | AgentEvent::ChatsAccepted { .. }
            | AgentEvent::ChatsDeclined { .. }
            | AgentEvent::ProfileChanged { .. }
            | AgentEvent::RoleChanged { .. }
            | AgentEvent::EmailChanged { .. }
            | AgentEvent::PasswordChanged { .. }
            | AgentEvent::AgentDeleted { .. }
            | AgentEvent::AgentRestored { .. } => {}
        }
    }
}

/// A slot over the limit comes only with an assignment that says so, in the same append.
pub fn only_a_supervisor_exceeds_the_limit(append: &[(Uuid, AnyEvent)]) {
    let exceeds = |event: &AnyEvent| matches!(event, AnyEvent::Agent(AgentEvent::SlotTaken { over_limit: true, .. }));
    let says_so = |event: &AnyEvent| {
        let AnyEvent::Conversation(ConversationEvent::AgentAssigned { assignment, .. }) = event else { return false };
        matches!(assignment, Assignment::Manual { over_limit: true, .. })
    };
    if append.iter().any(|(_, event)| exceeds(event)) {
        assert!(append.iter().any(|(_, event)| says_so(event)), "over the limit without a supervisor: {append:?}");
    }
}

impl World {
    pub fn check(&self) {
        self.slots_are_within_the_limits();
        self.each_chat_is_held_by_its_agent_alone();
        self.each_open_chat_has_one_open_thread();
        self.each_visitor_has_one_open_chat_at_most();
        self.tables_are_the_routers_state();
        self.router_knows_who_waits_and_who_serves();
    }

    fn slots_are_within_the_limits(&self) {
        for (id, agent) in &self.streams.agents {
            assert_eq!(Some(&agent.slots), self.ledger.slots.get(&id.uuid()));
            assert!(agent.slots.len() <= self.ledger.allowed[&id.uuid()], "{id:?} serves too many");
            assert!(agent.status != AgentStatus::Offline || agent.slots.is_empty(), "{id:?} is offline with chats");
        }
    }

    fn each_chat_is_held_by_its_agent_alone(&self) {
        for (id, chat) in &self.streams.conversations {
            let agents = self.streams.agents.iter();
            let holders: Vec<_> = agents.filter(|(_, agent)| agent.slots.contains(id)).map(|(id, _)| *id).collect();
            assert_eq!(holders, Vec::from_iter(chat.agent_id), "holders of {id:?}");
            assert_eq!(chat.agent_id.is_some(), chat.status == ConversationStatus::Active);
        }
    }

    fn each_open_chat_has_one_open_thread(&self) {
        for (id, chat) in &self.streams.conversations {
            let of_chat = self.streams.threads.iter().filter(|(_, thread)| thread.conversation_id == Some(*id));
            let open: Vec<_> = of_chat.filter(|(_, thread)| !thread.closed).collect();
            assert_eq!(open.iter().map(|(id, _)| **id).collect::<Vec<_>>(), Vec::from_iter(chat.active_thread_id));
            assert_eq!(open.len(), usize::from(chat.status != ConversationStatus::Closed));
            for (_, thread) in open {
                assert_eq!(Vec::from_iter(thread.agent_ids.clone()), Vec::from_iter(chat.agent_id), "who may write");
            }
        }
    }

    fn each_visitor_has_one_open_chat_at_most(&self) {
        for (id, visitor) in &self.streams.visitors {
            let of_visitor = self.streams.conversations.iter().filter(|(_, chat)| chat.visitor_id == Some(*id));
            let open = of_visitor.filter(|(_, chat)| chat.status != ConversationStatus::Closed);
            let open: Vec<_> = open.map(|(id, _)| *id).collect();
            assert_eq!(open, Vec::from_iter(visitor.open_conversation_id));
        }
    }

    /// Only the changes that `apply` and `fail` returned were stored, and they are complete.
    fn tables_are_the_routers_state(&self) {
        let (state, tables) = (&self.router.state, &self.router.tables);
        for id in self.streams.agents.keys() {
            assert_eq!(state.agent(*id), tables.agents.get(id));
        }
        for id in self.streams.groups.keys() {
            assert_eq!(state.group(*id), tables.groups.get(id));
        }
        for id in self.streams.conversations.keys() {
            assert_eq!(state.waiting(*id), tables.waiting.get(id));
            assert_eq!(state.served_arrival(*id), tables.served.get(id).copied());
        }
    }

    /// As soon as it has read everything.
    fn router_knows_who_waits_and_who_serves(&self) {
        let mut state = self.router.state.clone();
        for (position, (id, event)) in (1..).zip(&self.log).filter(|(position, _)| *position > self.router.read) {
            state.apply(position, *id, event);
        }
        for (id, agent) in &self.streams.agents {
            let known = state.agent(*id).expect("every agent is known");
            assert_eq!(
                (&known.slots, known.status, known.accepting_chats, known.chat_limit),
                (&agent.slots, agent.status, agent.accepting_chats, agent.chat_limit)
            );
        }
        let mut queued = 0;
        for (id, group) in &self.streams.groups {
            let known = state.group(*id).expect("every group is known");
            assert_eq!(
                (&known.agent_ids, known.strategy, known.deleted),
                (&group.agent_ids, group.strategy, group.deleted)
            );
            let queue: Vec<_> = state.queue(*id).collect();
            let waiting = self
                .streams
                .conversations
                .iter()
                .filter(|(_, chat)| chat.status == ConversationStatus::Pending && chat.group_id == Some(*id));
            assert_eq!(queue.iter().copied().collect::<BTreeSet<_>>(), waiting.map(|(id, _)| *id).collect());
            assert!(queue.is_sorted_by_key(|id| state.waiting(*id).map(|chat| chat.arrival)));
            queued += queue.len();
        }
        assert_eq!(queued, state.waiting_count(), "each waits once");
        for (id, chat) in &self.streams.conversations {
            assert_eq!(state.served_arrival(*id).is_some(), chat.status == ConversationStatus::Active);
        }
    }

    /// An agent with a new proposal is within the limit, counting all chats in flight to them.
    pub fn router_kept_within_the_limits(&self, proposed: &BTreeSet<AgentId>) {
        for agent_id in proposed {
            let agent = self.router.state.agent(*agent_id).expect("every agent is known");
            let promised = self.on_their_way().filter(|(to, _)| to == agent_id).map(|(_, chat)| chat);
            let chats: BTreeSet<_> = promised.chain(agent.slots.iter().copied()).collect();
            assert!(chats.len() <= agent.chat_limit.get(), "{agent_id:?} is promised too much");
        }
    }

    /// No chat waits that an agent of its group could take.
    pub fn nobody_waits_in_vain(&self) {
        for (id, chat) in &self.streams.conversations {
            let group = chat.group_id.and_then(|id| self.streams.groups.get(&id)).filter(|group| group.is_present());
            let (ConversationStatus::Pending, Some(group)) = (chat.status, group) else { continue };
            for agent_id in &group.agent_ids {
                let agent = &self.streams.agents[agent_id];
                let could = agent.is_present()
                    && agent.status == AgentStatus::Online
                    && agent.accepting_chats
                    && agent.has_free_slot();
                assert!(!could, "{id:?} waits while {agent_id:?} is free");
            }
        }
    }
}
