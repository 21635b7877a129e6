//! What people do, as one append each.

use domain::agent::{AgentCommand, AgentStatus, SlotRule, StatusCause};
use domain::conversation::{
    Assignment, ConversationCommand, ConversationError, ConversationStatus, Participant, QueueReason, VisitorCard,
};
use domain::group::{GroupCommand, GroupError};
use domain::ids::{AgentId, ConversationId, EntityId, EventId, GroupId, ThreadId};
use domain::text::MessageText;
use domain::thread::{JoinCause, LeaveReason, ThreadCommand};
use domain::time::Timestamp;
use domain::visitor::{VisitorCommand, VisitorDetails};

use super::draft::Draft;
use super::{Refusal, World, agent_id, group_id, name, visitor_id};

type Done = Result<(), Refusal>;

impl World {
    pub fn start(&mut self, visitor: usize, group: usize) -> Done {
        let (visitor, group_id, at) = (visitor_id(visitor), group_id(group), self.now);
        let id = ConversationId::from_uuid(self.new_id());
        let thread_id = ThreadId::from_uuid(self.new_id());
        self.atomically(|draft| {
            draft.ensure_group(group_id)?;
            draft.visitor(visitor, VisitorCommand::Introduce { details: VisitorDetails::default(), at })?;
            draft.visitor(visitor, VisitorCommand::OpenChat { conversation_id: id, at })?;
            let last_agent_id = draft.streams.visitors[&visitor].last_agent_id;
            let card = VisitorCard { id: visitor, name: None, email: None, phone: None };
            draft.chat(id, ConversationCommand::Start { visitor: card, group_id, thread_id, last_agent_id, at })?;
            let start = ThreadCommand::Start { conversation_id: id, visitor_id: visitor, previous_thread_id: None, at };
            draft.thread(thread_id, start)
        })
    }

    pub fn assign(&mut self, id: ConversationId, agent_id: AgentId, assignment: Assignment, rule: SlotRule) -> Done {
        let at = self.now;
        self.atomically(|draft| {
            let previous = draft.streams.conversations[&id].agent_id;
            draft.chat(id, ConversationCommand::AssignAgent { agent_id, assignment, at })?;
            let thread_id = draft.open_thread(id)?;
            if let Some(previous) = previous.filter(|previous| *previous != agent_id) {
                draft.agent(previous, AgentCommand::FreeSlot { conversation_id: id, at })?;
                let reason = LeaveReason::Reassigned;
                draft.thread(thread_id, ThreadCommand::AgentLeaves { agent_id: previous, reason, at })?;
            }
            draft.agent(agent_id, AgentCommand::TakeSlot { conversation_id: id, rule, at })?;
            draft.thread(thread_id, ThreadCommand::AgentJoins { agent_id, cause: JoinCause::Assigned, at })
        })
    }

    pub fn assign_manually(&mut self, id: ConversationId, agent: usize, over_limit: bool) -> Done {
        let assignment = Assignment::Manual { by: agent_id(0), reason: None, over_limit };
        let rule = if over_limit { SlotRule::ChosenOverLimit } else { SlotRule::Chosen };
        self.assign(id, agent_id(agent), assignment, rule)
    }

    pub fn close(&mut self, id: ConversationId, by_agent: bool) -> Done {
        let at = self.now;
        self.atomically(|draft| {
            let chat = draft.streams.conversations[&id].clone();
            let visitor = chat.visitor_id.ok_or(ConversationError::NotStarted)?;
            let by = match chat.agent_id {
                Some(agent_id) if by_agent => Participant::Agent(agent_id),
                Some(_) | None => Participant::Visitor(visitor),
            };
            draft.chat(id, ConversationCommand::Close { by, reason: name("solved"), notes: None, at })?;
            let Some(thread_id) = chat.active_thread_id else { return Ok(()) };
            draft.thread(thread_id, ThreadCommand::Close { by, at })?;
            if let Some(agent_id) = chat.agent_id {
                draft.agent(agent_id, AgentCommand::FreeSlot { conversation_id: id, at })?;
            }
            let last_agent_id = chat.agent_id;
            draft.visitor(visitor, VisitorCommand::EndChat { conversation_id: id, last_agent_id, at })
        })
    }

    pub fn reopen(&mut self, id: ConversationId) -> Done {
        let at = self.now;
        let thread_id = ThreadId::from_uuid(self.new_id());
        self.atomically(|draft| {
            let chat = &draft.streams.conversations[&id];
            let (visitor_id, previous_thread_id) = (chat.visitor_id, chat.thread_ids.last().copied());
            let visitor_id = visitor_id.ok_or(ConversationError::NotStarted)?;
            let by = Participant::Visitor(visitor_id);
            draft.chat(id, ConversationCommand::Reopen { by, thread_id, at })?;
            draft.visitor(visitor_id, VisitorCommand::OpenChat { conversation_id: id, at })?;
            draft.thread(thread_id, ThreadCommand::Start { conversation_id: id, visitor_id, previous_thread_id, at })
        })
    }

    pub fn come_back(&mut self, id: ConversationId) -> Done {
        let at = self.now;
        let details =
            VisitorDetails { name: Some(name(&format!("at {}", at.as_micros()))), ..VisitorDetails::default() };
        self.atomically(|draft| {
            let visitor = draft.streams.conversations[&id].visitor_id.ok_or(ConversationError::NotStarted)?;
            draft.visitor(visitor, VisitorCommand::Introduce { details: details.clone(), at })?;
            draft.chat(id, ConversationCommand::ChangeVisitorCard { details, at })
        })
    }

    pub fn transfer(&mut self, id: ConversationId, group: usize) -> Done {
        let (group_id, at) = (group_id(group), self.now);
        self.atomically(|draft| {
            draft.ensure_group(group_id)?;
            draft.give_back(id, QueueReason::Transferred, Some(group_id), at)
        })
    }

    /// The visitor or the agent writes, in whatever thread of the conversation.
    pub fn say(&mut self, id: ConversationId, thread: usize, by_agent: bool) -> Done {
        let at = self.now;
        let message_id = EventId::from_uuid(self.new_id());
        self.atomically(|draft| {
            let chat = &draft.streams.conversations[&id];
            let visitor = chat.visitor_id.ok_or(ConversationError::NotStarted)?;
            let author = match chat.last_agent_id {
                Some(agent_id) if by_agent => Participant::Agent(agent_id),
                Some(_) | None => Participant::Visitor(visitor),
            };
            let thread_id = chat.thread_ids[thread % chat.thread_ids.len()];
            let text = MessageText::parse("Hello").expect("a fine text");
            let client_event_id = None;
            let send = ThreadCommand::SendMessage { message_id, author, text, client_event_id, metadata: None, at };
            draft.thread(thread_id, send)
        })
    }

    pub fn set_status(&mut self, agent: usize, status: AgentStatus) -> Done {
        let (id, at) = (agent_id(agent), self.now);
        self.atomically(|draft| {
            draft.agent(id, AgentCommand::SetStatus { status, cause: StatusCause::SetBy { id }, at })?;
            if status == AgentStatus::Offline { draft.give_all_back(id, QueueReason::AgentOffline, at) } else { Ok(()) }
        })
    }

    pub fn delete_agent(&mut self, agent: usize) -> Done {
        let (id, at) = (agent_id(agent), self.now);
        self.atomically(|draft| {
            draft.agent(id, AgentCommand::Delete { at })?;
            draft.give_all_back(id, QueueReason::AgentDeleted, at)
        })
    }

    pub fn leave_group(&mut self, group: usize, agent: usize) -> Done {
        let (group_id, agent_id, at) = (group_id(group), agent_id(agent), self.now);
        self.atomically(|draft| {
            draft.group(group_id, GroupCommand::RemoveAgent { agent_id, at })?;
            for id in draft.slots_of(agent_id) {
                if draft.streams.conversations[&id].group_id == Some(group_id) {
                    draft.give_back(id, QueueReason::AgentLeftGroup, None, at)?;
                }
            }
            Ok(())
        })
    }

    pub fn tell_agent(&mut self, agent: usize, command: AgentCommand) -> Done {
        self.atomically(|draft| draft.agent(agent_id(agent), command))
    }

    pub fn tell_group(&mut self, group: usize, command: GroupCommand) -> Done {
        self.atomically(|draft| draft.group(group_id(group), command))
    }
}

impl Draft {
    fn ensure_group(&self, id: GroupId) -> Done {
        if self.streams.groups[&id].is_present() { Ok(()) } else { Err(GroupError::NotCreated.into()) }
    }

    fn open_thread(&self, id: ConversationId) -> Result<ThreadId, Refusal> {
        Ok(self.streams.conversations[&id].active_thread_id.ok_or(ConversationError::ChatClosed)?)
    }

    fn slots_of(&self, agent_id: AgentId) -> Vec<ConversationId> {
        self.streams.agents[&agent_id].slots.iter().copied().collect()
    }

    fn give_all_back(&mut self, agent_id: AgentId, reason: QueueReason, at: Timestamp) -> Done {
        self.slots_of(agent_id).into_iter().try_for_each(|id| self.give_back(id, reason, None, at))
    }

    fn give_back(&mut self, id: ConversationId, reason: QueueReason, group_id: Option<GroupId>, at: Timestamp) -> Done {
        let previous = self.streams.conversations[&id].agent_id;
        self.chat(id, ConversationCommand::ReturnToQueue { reason, group_id, handover: None, at })?;
        let thread_id = self.open_thread(id)?;
        if let Some(agent_id) = previous {
            assert_eq!(self.streams.conversations[&id].status, ConversationStatus::Pending);
            self.agent(agent_id, AgentCommand::FreeSlot { conversation_id: id, at })?;
            let reason = LeaveReason::Transferred;
            self.thread(thread_id, ThreadCommand::AgentLeaves { agent_id, reason, at })?;
        }
        Ok(())
    }
}
