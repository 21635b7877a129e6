use std::sync::Arc;

use domain::agent::{Agent, AgentCommand};
use domain::conversation::{Conversation, ConversationCommand, ConversationError, Participant};
use domain::ids::ConversationId;
use domain::text::{Name, Note};
use domain::thread::{Thread, ThreadCommand};
use domain::visitor::{Visitor, VisitorCommand};

use super::access::{ensure_may_steer, participant};
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::ports::{LogEvent, Principal, StreamId};

/// Closes a chat: its thread takes no more messages, the agent's slot is free, the visitor may start another chat.
#[derive(Clone, Debug)]
pub struct CloseChat {
    /// The visitor, the agent or a supervisor.
    pub principal: Principal,
    /// The chat.
    pub conversation_id: ConversationId,
    /// A few words.
    pub reason: Name,
    /// For the agents; visitors neither leave nor see notes.
    pub notes: Option<Note>,
}

impl UseCase for CloseChat {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Conversation>(self.conversation_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        if self.notes.is_some() && matches!(self.principal, Principal::Visitor { .. }) {
            return Err(UseCaseError::Forbidden("only agents leave notes"));
        }
        let by = participant(self.principal);
        let conversation = work.load::<Conversation>(self.conversation_id).await?;
        let agent_id = conversation.agent_id.or(conversation.last_agent_id);
        ensure_may_steer(work, self.principal, &conversation, agent_id).await?;
        end_chat(work, self.conversation_id, (by, self.reason.clone(), self.notes.clone())).await
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}

/// Closes a chat without asking whether `by` may.
pub(crate) async fn end_chat(
    work: &mut UnitOfWork,
    conversation_id: ConversationId,
    (by, reason, notes): (Participant, Name, Option<Note>),
) -> Result<(), UseCaseError> {
    let at = work.now();
    let conversation = work.load::<Conversation>(conversation_id).await?;
    let close = ConversationCommand::Close { by, reason, notes, at };
    if !work.execute::<Conversation>(conversation_id, close).await? {
        return Ok(());
    }
    let thread_id = conversation.active_thread_id.ok_or(ConversationError::ChatClosed)?;
    work.execute::<Thread>(thread_id, ThreadCommand::Close { by, at }).await?;
    if let Some(agent_id) = conversation.agent_id {
        work.execute::<Agent>(agent_id, AgentCommand::FreeSlot { conversation_id, at }).await?;
    }
    if let Some(visitor_id) = conversation.visitor_id {
        let last_agent_id = conversation.last_agent_id;
        let end = VisitorCommand::EndChat { conversation_id, last_agent_id, at };
        work.execute::<Visitor>(visitor_id, end).await?;
    }
    Ok(())
}
