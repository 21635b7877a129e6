//! What must hold at the end of each append.

use super::{Append, Invariants, Reference, Rule, Wrong, demand, members};
use crate::agent::Role;
use crate::conversation::{Conversation, ConversationStatus};
use crate::ids::{AgentId, ConversationId, TagId};

/// An agent who leaves work with more chats gives this many back in the first append, and the others in the next ones.
const GIVEN_BACK_AT_ONCE: usize = 100;

impl Invariants {
    pub(super) fn settle(&mut self) {
        let Some(append) = self.append.take() else { return };
        let mut wrong = vec![];
        for reference in &append.references {
            demand(&mut wrong, Rule::Existence, self.knows(*reference), || {
                format!("{reference:?} does not exist, or was deleted")
            });
        }
        for id in &append.chats {
            if let Some(chat) = self.conversations.get(id).filter(|chat| chat.has_started()) {
                self.settle_chat(*id, chat, &mut wrong);
            }
        }
        for id in &append.agents {
            self.settle_agent(*id, &append, &mut wrong);
        }
        for id in &append.tags {
            self.settle_tag(*id, &mut wrong);
        }
        for (agent_id, id) in append.exceeding.difference(&append.on_purpose) {
            wrong.push((
                Rule::WithinLimit,
                format!("agent {agent_id} gets chat {id} over the limit by nobody's choice"),
            ));
        }
        self.settle_groups(&append, &mut wrong);
        self.report(wrong);
    }

    fn knows(&self, reference: Reference) -> bool {
        match reference {
            Reference::Agent(id) => self.agents.get(&id).is_some_and(|agent| agent.name.is_some()),
            Reference::LivingAgent(id) => self.agents.get(&id).is_some_and(|agent| agent.is_present()),
            Reference::Visitor(id) => self.visitors.get(&id).is_some_and(|visitor| visitor.registered),
            Reference::Chat(id) => self.conversations.get(&id).is_some_and(Conversation::has_started),
            Reference::Group(id) => self.groups.get(&id).is_some_and(|group| group.name.is_some()),
            Reference::LivingGroup(id) => self.groups.get(&id).is_some_and(|group| group.is_present()),
            Reference::Tag(id) => self.tags.get(&id).is_some_and(|tag| tag.name.is_some()),
            Reference::LivingTag(id) => self.tags.get(&id).is_some_and(|tag| tag.is_present()),
        }
    }

    fn settle_chat(&self, id: ConversationId, chat: &Conversation, wrong: &mut Wrong) {
        let is_open = chat.status != ConversationStatus::Closed;
        let serving = Vec::from_iter(chat.agent_id);
        let holders = members(&self.index.holders, &id);
        let is_active = chat.status == ConversationStatus::Active;
        demand(wrong, Rule::OneServer, holders == serving && is_active != serving.is_empty(), || {
            format!("chat {id} is served by {serving:?}, and {holders:?} have it")
        });
        let named = Vec::from_iter(chat.active_thread_id);
        let open = members(&self.index.open_threads, &id);
        let is_its_own = named.iter().all(|thread_id| chat.thread_ids.contains(thread_id));
        demand(wrong, Rule::OneActiveThread, open == named && is_its_own && is_open != named.is_empty(), || {
            format!("chat {id} names {named:?} as its thread, and {open:?} are open")
        });
        self.settle_thread(id, chat, &serving, wrong);
        let visitor_id = chat.visitor_id.unwrap_or_default();
        let open_chats = members(&self.index.open_chats, &visitor_id);
        let named = self.visitors.get(&visitor_id).and_then(|visitor| visitor.open_conversation_id);
        demand(wrong, Rule::OneOpenChat, open_chats == Vec::from_iter(named), || {
            format!("visitor {visitor_id} names {named:?} as the open chat, and {open_chats:?} are open")
        });
        let waits = chat.status == ConversationStatus::Pending;
        let expected = Vec::from_iter(chat.group_id.filter(|_| waits));
        let queues: Vec<_> = self.routing.queues_with(id).collect();
        demand(wrong, Rule::Queued, queues == expected, || {
            format!("chat {id} has to wait for {expected:?}, and is in the queues of {queues:?}")
        });
    }

    fn settle_thread(&self, id: ConversationId, chat: &Conversation, serving: &[AgentId], wrong: &mut Wrong) {
        let Some(thread) = chat.active_thread_id.and_then(|thread_id| self.threads.get(&thread_id)) else { return };
        if thread.closed || thread.conversation_id != Some(id) {
            return;
        }
        let taking_part = Vec::from_iter(thread.agent_ids.iter().copied());
        demand(wrong, Rule::OneServer, taking_part == serving, || {
            format!("chat {id} is served by {serving:?}, and {taking_part:?} take part in its thread")
        });
        demand(wrong, Rule::TrueReferences, thread.visitor_id == chat.visitor_id, || {
            format!("the thread of chat {id} names another visitor")
        });
    }

    fn settle_agent(&self, id: AgentId, append: &Append, wrong: &mut Wrong) {
        let Some(agent) = self.agents.get(&id).filter(|agent| agent.name.is_some()) else { return };
        let addresses = members(&self.index.addresses_of, &id).len();
        demand(wrong, Rule::UniqueAddresses, addresses == usize::from(!agent.deleted), || {
            format!("agent {id} owns {addresses} addresses")
        });
        let counts = self.workspace.admin_ids.contains(&id);
        demand(wrong, Rule::AnAdmin, counts == (agent.role == Role::Admin && !agent.deleted), || {
            format!("agent {id} is an admin by the role and not by the count, or the other way round")
        });
        let freed = append.freed.get(&id).copied().unwrap_or(0);
        let keeps = append.left_work.contains(&id) && !agent.slots.is_empty() && freed < GIVEN_BACK_AT_ONCE;
        demand(wrong, Rule::OffWorkKeepsNothing, !keeps, || {
            format!("agent {id} leaves work and keeps {} chats", agent.slots.len())
        });
    }

    fn settle_tag(&self, id: TagId, wrong: &mut Wrong) {
        let Some(tag) = self.tags.get(&id).filter(|tag| tag.name.is_some()) else { return };
        let names = members(&self.index.names_of, &id).len();
        demand(wrong, Rule::UniqueTagNames, names == usize::from(!tag.deleted), || {
            format!("tag {id} owns {names} names")
        });
    }

    fn settle_groups(&self, append: &Append, wrong: &mut Wrong) {
        for (group_id, agent_id) in &append.left_group {
            let agent = self.agents.get(agent_id);
            let chats = agent.into_iter().flat_map(|agent| &agent.slots);
            let group_of = |id| self.conversations.get(id).and_then(|chat| chat.group_id);
            let kept = chats.filter(|id| group_of(id) == Some(*group_id)).count();
            demand(wrong, Rule::Membership, kept == 0, || {
                format!("agent {agent_id} leaves group {group_id} and keeps {kept} chats of it")
            });
        }
        for (thread_id, group_id) in &append.moved {
            let chat = self.threads.get(thread_id).and_then(|thread| self.conversations.get(&thread.conversation_id?));
            demand(wrong, Rule::TrueReferences, chat.is_some_and(|chat| chat.group_id == Some(*group_id)), || {
                format!("thread {thread_id} tells of group {group_id}, and its chat is not there")
            });
        }
        let default = self.workspace.default_group_id;
        let is_there = default.is_some_and(|id| self.groups.get(&id).is_some_and(|group| group.is_present()));
        demand(wrong, Rule::DefaultGroup, is_there || (default.is_none() && self.conversations.is_empty()), || {
            format!("the default group is {default:?}, which does not exist or was deleted")
        });
    }
}
