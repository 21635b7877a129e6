use std::sync::Arc;

use domain::conversation::{Conversation, ConversationCommand};
use domain::ids::{ConversationId, EntityId, ThreadId};
use domain::thread::{Thread, ThreadCommand, ThreadEvent};
use domain::visitor::{Visitor, VisitorCommand, VisitorDetails};

use super::access::{ensure_may_steer, participant};
use super::start_chat::introduce_in_chat;
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase, recall};
use crate::error::Entity;
use crate::ports::{LogEvent, Principal, StreamId};

/// A closed chat is reopened with a new thread, and waits for an agent like a new chat.
#[derive(Clone, Debug)]
pub struct ReopenChat {
    /// The visitor, the last agent or a supervisor.
    pub principal: Principal,
    /// The chat.
    pub conversation_id: ConversationId,
}

impl UseCase for ReopenChat {
    type Output = ThreadId;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Conversation>(self.conversation_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<ThreadId, UseCaseError> {
        let at = work.now();
        let conversation_id = self.conversation_id;
        let thread_id = ThreadId::from_uuid(work.new_uuid());
        let conversation = work.load::<Conversation>(conversation_id).await?;
        ensure_may_steer(work, self.principal, &conversation, conversation.last_agent_id).await?;
        let by = participant(self.principal);
        work.execute::<Conversation>(conversation_id, ConversationCommand::Reopen { by, thread_id, at }).await?;
        let visitor_id = conversation.visitor_id.ok_or(UseCaseError::NotFound(Entity::Conversation))?;
        work.execute::<Visitor>(visitor_id, VisitorCommand::OpenChat { conversation_id, at }).await?;
        introduce_in_chat(work, conversation_id, (visitor_id, VisitorDetails::default())).await?;
        let previous_thread_id = conversation.thread_ids.last().copied();
        let start = ThreadCommand::Start { conversation_id, visitor_id, previous_thread_id, at };
        work.execute::<Thread>(thread_id, start).await?;
        Ok(thread_id)
    }

    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<ThreadId> {
        recall::<Thread, _>(events, |id, event| matches!(event, ThreadEvent::ThreadStarted { .. }).then_some(id))
    }
}
