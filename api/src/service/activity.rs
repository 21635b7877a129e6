//! What people do at this moment: writing a message, looking at a chat.

use std::sync::Arc;

use application::UseCaseError;
use application::chat::{ensure_conversation_readable, participant};
use application::command_bus::CommandBus;
use application::ports::{Fanout, Principal};
use domain::conversation::{Conversation, ConversationError, Participant};
use domain::ids::ConversationId;
use domain::text::{MessageText, is_blank};

use super::Refusal;
use super::stream::Notice;
use super::stream::frames::ActivityState;

/// Shows readers of the live stream what others do. Nothing of it is stored.
#[derive(Clone)]
pub struct Activity {
    /// Reads the conversations.
    pub bus: CommandBus,
    /// Reaches the readers on all nodes.
    pub fanout: Arc<dyn Fanout>,
    /// Whether agents see what visitors are writing.
    pub sneak_peek: bool,
}

impl Activity {
    /// A participant writes in a conversation, or has stopped to. Only visitors show what they have written so far.
    ///
    /// # Errors
    /// [`super::Code::NotFound`] where the caller may not read the conversation, [`super::Code::Forbidden`] for agents who do not
    /// serve it, [`super::Code::ChatClosed`], [`super::Code::InvalidRequest`] for a draft that is too long or not a visitor's.
    pub async fn type_in(
        &self,
        principal: Principal,
        conversation_id: ConversationId,
        (state, draft): (ActivityState, Option<&str>),
    ) -> Result<(), Refusal> {
        let draft = draft.filter(|draft| !is_blank(draft)).map(MessageText::parse).transpose();
        let draft = draft.map_err(|error| Refusal::invalid_field("draft", error.to_string()))?;
        let author = participant(principal);
        if draft.is_some() && matches!(author, Participant::Agent(_)) {
            return Err(Refusal::invalid_field("draft", "is for visitors"));
        }
        let conversation = self.readable(principal, conversation_id).await?;
        let takes_part = match author {
            Participant::Visitor(_) => true,
            Participant::Agent(id) => conversation.agent_id == Some(id),
        };
        if !takes_part {
            return Err(Refusal::forbidden("Only participants may write in the thread."));
        }
        if conversation.active_thread_id.is_none() {
            return Err(UseCaseError::from(ConversationError::ChatClosed).into());
        }
        let draft = draft.filter(|_| self.sneak_peek).map(|draft| draft.as_str().to_owned());
        self.send(&Notice::Typing { conversation_id, author, state, draft });
        Ok(())
    }

    /// An agent looks at a conversation, or has stopped to.
    ///
    /// # Errors
    /// [`super::Code::NotFound`] where the caller may not read the conversation, [`super::Code::Forbidden`] for visitors.
    pub async fn look_at(
        &self,
        principal: Principal,
        conversation_id: ConversationId,
        state: ActivityState,
    ) -> Result<(), Refusal> {
        let Principal::Agent { id: agent_id, .. } = principal else {
            return Err(Refusal::forbidden("Only agents may do this."));
        };
        self.readable(principal, conversation_id).await?;
        self.send(&Notice::Looking { conversation_id, agent_id, state });
        Ok(())
    }

    async fn readable(&self, principal: Principal, id: ConversationId) -> Result<Arc<Conversation>, Refusal> {
        ensure_conversation_readable(&self.bus, principal, id).await?;
        Ok(self.bus.read::<Conversation>(id).await?)
    }

    fn send(&self, notice: &Notice) {
        self.fanout.send(&serde_json::to_string(notice).expect("notices are plain JSON"));
    }
}
