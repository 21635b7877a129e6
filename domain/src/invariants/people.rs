use cqrs_es::Aggregate as _;

use super::chats::beginning;
use super::{Append, Invariants, Reference, Rule, Wrong, demand, remove_from};
use crate::agent::{Agent, AgentEvent, AgentStatus, EmailClaimEvent};
use crate::ids::{AgentId, EmailClaimId, VisitorId};
use crate::visitor::{VisitorDetails, VisitorEvent};

impl Invariants {
    pub(super) fn on_agent(&mut self, append: &mut Append, id: AgentId, event: &AgentEvent, wrong: &mut Wrong) {
        append.agents.insert(id);
        let agent = self.agents.entry(id).or_default();
        check_agent(agent, id, event, wrong);
        agent.apply(event.clone());
        match event {
            AgentEvent::SlotTaken { conversation_id, over_limit, .. } => {
                append.chats.insert(*conversation_id);
                append.references.insert(Reference::Chat(*conversation_id));
                if *over_limit {
                    append.exceeding.insert((id, *conversation_id));
                }
                self.index.holders.entry(*conversation_id).or_default().insert(id);
            }
            AgentEvent::SlotFreed { conversation_id, .. } => {
                append.chats.insert(*conversation_id);
                *append.freed.entry(id).or_default() += 1;
                remove_from(&mut self.index.holders, conversation_id, &id);
            }
            AgentEvent::StatusChanged { status: AgentStatus::Offline, .. } | AgentEvent::AgentDeleted { .. } => {
                append.left_work.insert(id);
            }
            AgentEvent::StatusChanged { .. }
            | AgentEvent::AgentRegistered { .. }
            | AgentEvent::ChatsAccepted { .. }
            | AgentEvent::ChatsDeclined { .. }
            | AgentEvent::LimitChanged { .. }
            | AgentEvent::ProfileChanged { .. }
            | AgentEvent::EmailChanged { .. }
            | AgentEvent::RoleChanged { .. }
            | AgentEvent::PasswordChanged { .. }
            | AgentEvent::AgentRestored { .. } => {}
        }
    }

    pub(super) fn on_visitor(&mut self, append: &mut Append, id: VisitorId, event: &VisitorEvent, wrong: &mut Wrong) {
        let visitor = self.visitors.entry(id).or_default();
        let starts = matches!(event, VisitorEvent::VisitorRegistered { .. });
        demand(wrong, Rule::Beginnings, starts != visitor.registered, || beginning("visitor", &id, starts));
        match event {
            VisitorEvent::ChatOpened { conversation_id, .. } => {
                append.chats.insert(*conversation_id);
                append.references.insert(Reference::Chat(*conversation_id));
                let has_none = visitor.open_conversation_id.is_none();
                demand(wrong, Rule::OneOpenChat, has_none, || format!("visitor {id} opens a second chat"));
            }
            VisitorEvent::ChatEnded { conversation_id, .. } => {
                append.chats.insert(*conversation_id);
                let is_it = visitor.open_conversation_id == Some(*conversation_id);
                demand(wrong, Rule::OneOpenChat, is_it, || {
                    format!("visitor {id} ends chat {conversation_id} and had another, or none")
                });
            }
            VisitorEvent::VisitorReintroduced { shown_in: Some(chat), .. }
            | VisitorEvent::VisitorShown { conversation_id: chat, .. } => {
                let is_it = visitor.open_conversation_id == Some(*chat);
                demand(wrong, Rule::TrueReferences, is_it, || {
                    format!("visitor {id} is shown in {chat}, which is not open")
                });
            }
            VisitorEvent::VisitorRegistered { .. }
            | VisitorEvent::VisitorReintroduced { shown_in: None, .. }
            | VisitorEvent::PersonalDataErased { .. } => {}
        }
        visitor.apply(event.clone());
        // No rule depends on names.
        visitor.details = VisitorDetails::default();
        visitor.cards.clear();
    }

    pub(super) fn on_address(
        &mut self,
        append: &mut Append,
        id: EmailClaimId,
        event: &EmailClaimEvent,
        wrong: &mut Wrong,
    ) {
        let claim = self.addresses.entry(id).or_default();
        match event {
            EmailClaimEvent::EmailClaimed { agent_id, .. } => {
                append.agents.insert(*agent_id);
                append.references.insert(Reference::Agent(*agent_id));
                let is_free = claim.agent_id.is_none();
                demand(wrong, Rule::UniqueAddresses, is_free, || format!("address {id} gets a second owner"));
                self.index.addresses_of.entry(*agent_id).or_default().insert(id);
            }
            EmailClaimEvent::EmailReleased { agent_id, .. } => {
                append.agents.insert(*agent_id);
                let owns = claim.agent_id == Some(*agent_id);
                demand(wrong, Rule::UniqueAddresses, owns, || format!("agent {agent_id} does not own address {id}"));
                remove_from(&mut self.index.addresses_of, agent_id, &id);
            }
        }
        claim.apply(event.clone());
    }
}

fn check_agent(agent: &Agent, id: AgentId, event: &AgentEvent, wrong: &mut Wrong) {
    let starts = matches!(event, AgentEvent::AgentRegistered { .. });
    demand(wrong, Rule::Beginnings, starts != agent.name.is_some(), || beginning("agent", &id, starts));
    let comes_back = matches!(event, AgentEvent::AgentRestored { .. });
    let may_be_deleted = comes_back || matches!(event, AgentEvent::SlotFreed { .. });
    demand(wrong, Rule::DeletedRest, !agent.deleted || may_be_deleted, || format!("agent {id} is deleted and goes on"));
    demand(wrong, Rule::DeletedRest, agent.deleted || !comes_back, || format!("agent {id} was not deleted"));
    match event {
        AgentEvent::SlotTaken { conversation_id, over_limit, .. } => {
            let is_new = !agent.slots.contains(conversation_id);
            demand(wrong, Rule::OneServer, is_new, || format!("agent {id} takes chat {conversation_id} twice"));
            let is_told = *over_limit != agent.has_free_slot();
            demand(wrong, Rule::WithinLimit, is_told, || {
                let (slots, limit) = (agent.slots.len(), agent.chat_limit.get());
                format!("agent {id} has {slots} chats of {limit} and takes another, said to be over it: {over_limit}")
            });
            let is_there = agent.status != AgentStatus::Offline;
            demand(wrong, Rule::AtWork, is_there || agent.deleted, || format!("agent {id} is offline and gets a chat"));
        }
        AgentEvent::SlotFreed { conversation_id, .. } => {
            let had = agent.slots.contains(conversation_id);
            demand(wrong, Rule::OneServer, had, || format!("agent {id} frees chat {conversation_id} and has it not"));
        }
        AgentEvent::AgentRegistered { .. }
        | AgentEvent::StatusChanged { .. }
        | AgentEvent::ChatsAccepted { .. }
        | AgentEvent::ChatsDeclined { .. }
        | AgentEvent::LimitChanged { .. }
        | AgentEvent::ProfileChanged { .. }
        | AgentEvent::EmailChanged { .. }
        | AgentEvent::RoleChanged { .. }
        | AgentEvent::PasswordChanged { .. }
        | AgentEvent::AgentDeleted { .. }
        | AgentEvent::AgentRestored { .. } => {}
    }
}
