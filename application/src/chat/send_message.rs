use std::sync::Arc;

use domain::conversation::{Conversation, ConversationError};
use domain::ids::{CommandId, ConversationId, EntityId, EventId, ThreadId};
use domain::text::{ClientEventId, MessageText, Metadata};
use domain::thread::{Thread, ThreadCommand, ThreadError, ThreadEvent};
use domain::time::Timestamp;

use super::access::{ensure_may_read, participant};
use crate::command_bus::{UnitOfWork, UseCase, recall};
use crate::error::Entity;
use crate::ports::{LogEvent, Principal, StreamId};
use crate::{InstallationKey, UseCaseError};

/// A visitor or an agent says something.
#[derive(Clone, Debug)]
pub struct SendMessage {
    /// The author.
    pub principal: Principal,
    pub conversation_id: ConversationId,
    /// One of its threads; the active one when absent.
    pub thread_id: Option<ThreadId>,
    /// The words.
    pub text: MessageText,
    /// The client's own id of the message.
    pub client_event_id: Option<ClientEventId>,
    /// What the client attaches to the message.
    pub metadata: Option<Metadata>,
}

/// A message that is in its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageReceipt {
    pub message_id: EventId,
    /// The thread that holds it.
    pub thread_id: ThreadId,
    /// When it was taken.
    pub at: Timestamp,
}

impl SendMessage {
    /// The command id of a message with a client's id: however often the client sends it, it is taken once.
    #[must_use]
    pub fn command_id(&self, key: &InstallationKey) -> Option<CommandId> {
        let client_event_id = self.client_event_id.as_ref()?;
        let conversation = self.conversation_id.to_string();
        Some(key.command_id(&["message", &conversation, &self.principal.actor(), client_event_id.as_str()]))
    }
}

impl SendMessage {
    /// The receipt of the message that came with the chat, if this is the same one again.
    async fn repeats_the_opening(
        &self,
        work: &mut UnitOfWork,
        thread_id: ThreadId,
    ) -> Result<Option<MessageReceipt>, UseCaseError> {
        let (Principal::Visitor { .. }, Some(own_id)) = (self.principal, &self.client_event_id) else {
            return Ok(None);
        };
        let thread = work.load::<Thread>(thread_id).await?;
        let opening = thread.opening.as_ref().filter(|opening| opening.client_event_id == *own_id);
        Ok(opening.map(|opening| MessageReceipt { message_id: opening.message_id, thread_id, at: opening.at }))
    }
}

impl UseCase for SendMessage {
    type Output = MessageReceipt;

    /// The thread decides and gets the event. Apart from it, the use case reads what never changes (the conversation's
    /// visitor and its threads) and the members of a group: an agent who has just left it may write a moment longer.
    const CHECKS_WHAT_IT_READ: bool = false;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Conversation>(self.conversation_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<MessageReceipt, UseCaseError> {
        let conversation = work.load::<Conversation>(self.conversation_id).await?;
        ensure_may_read(work, self.principal, &conversation).await?;
        let thread_id = match self.thread_id {
            Some(thread_id) if conversation.thread_ids.contains(&thread_id) => thread_id,
            Some(_) => return Err(UseCaseError::NotFound(Entity::Thread)),
            None => conversation.active_thread_id.ok_or(ConversationError::ChatClosed)?,
        };
        if let Some(receipt) = self.repeats_the_opening(work, thread_id).await? {
            return Ok(receipt);
        }
        let at = work.now();
        let message_id = EventId::from_uuid(work.new_uuid());
        let message = ThreadCommand::SendMessage {
            message_id,
            author: participant(self.principal),
            text: self.text.clone(),
            client_event_id: self.client_event_id.clone(),
            metadata: self.metadata.clone(),
            at,
        };
        match work.execute::<Thread>(thread_id, message).await {
            Ok(_) => Ok(MessageReceipt { message_id, thread_id, at }),
            Err(UseCaseError::Thread(ThreadError::NotAParticipant)) => {
                Err(UseCaseError::Forbidden("only participants may write in the thread"))
            }
            Err(error) => Err(error),
        }
    }

    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<MessageReceipt> {
        recall::<Thread, _>(events, |thread_id, event| {
            let ThreadEvent::MessageSent { message_id, at, .. } = *event else { return None };
            Some(MessageReceipt { message_id, thread_id, at })
        })
    }
}
