use application::InstallationKey;
use application::chat::{MessageReceipt, SendMessage};
use application::ports::{Hash, Principal};
use domain::ids::{ConversationId, ThreadId};
use domain::text::{ClientEventId, MessageText, Metadata, Name};

use super::{Caller, ChangeRequest, Conversations, Dispatch, Done, Refusal};

/// Takes messages of visitors and agents, each once.
#[derive(Clone)]
pub struct Messages {
    /// Runs the use case.
    pub(crate) dispatch: Dispatch,
    /// Knows the names of authors and the conversations of threads.
    pub(crate) conversations: Conversations,
    /// Names the commands of messages with a client's id.
    pub(crate) key: InstallationKey,
}

/// The place of a message: a thread, or the open thread of a conversation.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    Thread(ThreadId),
    Conversation(ConversationId),
}

/// A message that a caller wants to send.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub text: MessageText,
    /// The client's own id of the message: sent again with it, the message is taken once.
    pub client_event_id: Option<ClientEventId>,
    /// Data that the server returns with the message.
    pub metadata: Option<Metadata>,
}

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct SentMessage {
    /// Its id, thread and time.
    pub receipt: MessageReceipt,
    /// The name that it shows; visitors' messages show none.
    pub author_name: Option<Name>,
}

impl Messages {
    /// Sends a message. The client's own id names the command, before the key of the request: the message is taken once,
    /// even when it comes again with another key, by another path or through another door.
    ///
    /// # Errors
    /// [`super::Code::NotFound`], also where the caller may not know of the thread, or the refusal of the use case.
    pub async fn send(
        &self,
        caller: &Caller,
        request: &ChangeRequest,
        (place, message): (Place, NewMessage),
    ) -> Result<Done<SentMessage>, Refusal> {
        let principal = caller.principal;
        let message = message.to(principal, self.find(place).await?);
        let by_client = message.command_id(&self.key).map(|command_id| (command_id, self.digest(&message)));
        let request = ChangeRequest { repeatable: by_client.or(request.repeatable), ..request.clone() };
        let mut done = self.dispatch.execute(caller, &request, message).await?;
        if done.position.is_none() {
            // Nothing had to be written: it is the message that came with the chat, again.
            done.position = self.conversations.reading.position_of_message(done.output.message_id).await?;
            done.repeated = true;
        }
        let author_name = self.conversations.reading.author_name(principal).await?;
        Ok(done.map(|receipt| SentMessage { receipt, author_name }))
    }

    async fn find(&self, place: Place) -> Result<(ConversationId, Option<ThreadId>), Refusal> {
        match place {
            Place::Conversation(id) => Ok((id, None)),
            Place::Thread(id) => Ok((self.conversations.of_thread(id).await?, Some(id))),
        }
    }

    /// What makes two messages the same: a client may send one again by another path or with other headers.
    fn digest(&self, message: &SendMessage) -> Hash {
        let metadata = message.metadata.as_ref().map(|metadata| metadata.as_value().to_string()).unwrap_or_default();
        self.key.digest(&[message.text.as_str().as_bytes(), metadata.as_bytes()])
    }
}

impl NewMessage {
    fn to(self, principal: Principal, (conversation_id, thread_id): (ConversationId, Option<ThreadId>)) -> SendMessage {
        let Self { text, client_event_id, metadata } = self;
        SendMessage { principal, conversation_id, thread_id, text, client_event_id, metadata }
    }
}
