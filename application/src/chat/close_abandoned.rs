use std::sync::Arc;

use domain::conversation::{Conversation, ConversationStatus, Participant};
use domain::ids::{ConversationId, ThreadId};
use domain::text::Name;

use super::close_chat::end_chat;
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::ports::{LogEvent, StreamId};

/// Why such a chat is closed, for its agent and its visitor.
const REASON: &str = "The visitor has gone.";

/// Closes a chat that an agent serves and that its visitor has left without a word. The visitor may reopen it.
#[derive(Clone, Copy, Debug)]
pub struct CloseAbandoned {
    /// The chat.
    pub conversation_id: ConversationId,
    /// The thread in which the visitor said nothing more: a chat that was reopened since is another matter.
    pub thread_id: ThreadId,
}

impl UseCase for CloseAbandoned {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Conversation>(self.conversation_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let conversation = work.load::<Conversation>(self.conversation_id).await?;
        let is_the_thread = conversation.active_thread_id == Some(self.thread_id);
        let Some(visitor_id) = conversation.visitor_id.filter(|_| is_the_thread) else { return Ok(()) };
        if conversation.status != ConversationStatus::Active {
            return Ok(());
        }
        let reason = Name::parse(REASON).map_err(|_| UseCaseError::Aborted)?;
        // The visitor has ended it by leaving.
        end_chat(work, self.conversation_id, (Participant::Visitor(visitor_id), reason, None)).await
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}
