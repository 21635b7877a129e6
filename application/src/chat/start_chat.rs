use std::sync::Arc;

use domain::conversation::{Conversation, ConversationCommand, Participant, VisitorCard};
use domain::group::Group;
use domain::ids::{ConversationId, EntityId, EventId, GroupId, ThreadId, VisitorId, WorkspaceId};
use domain::text::{ClientEventId, MessageText, Metadata};
use domain::thread::{Thread, ThreadCommand, ThreadEvent};
use domain::time::Timestamp;
use domain::visitor::{Visitor, VisitorCommand, VisitorDetails};
use domain::workspace::Workspace;

use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase, recall};
use crate::error::Entity;
use crate::ports::{LogEvent, StreamId};

/// A visitor begins a chat, or continues the open one.
#[derive(Clone, Debug)]
pub struct StartChat {
    pub visitor_id: VisitorId,
    /// The name and addresses that the visitor gives.
    pub details: VisitorDetails,
    /// The group that the visitor wants; the default group when absent.
    pub group_id: Option<GroupId>,
    /// The first message.
    pub text: MessageText,
    /// The client's own id of the message, by which it is recognised when it comes again as a message.
    pub client_event_id: Option<ClientEventId>,
    /// What the client attaches to the message.
    pub metadata: Option<Metadata>,
}

/// A chat that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatReceipt {
    pub visitor_id: VisitorId,
    pub conversation_id: ConversationId,
    /// The thread that takes messages.
    pub thread_id: ThreadId,
    /// When the message was taken; the same in the answer to a repeated request.
    pub at: Timestamp,
}

impl UseCase for StartChat {
    type Output = ChatReceipt;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Visitor>(self.visitor_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<ChatReceipt, UseCaseError> {
        let visitor = work.load::<Visitor>(self.visitor_id).await?;
        if let Some(open) = visitor.open_conversation_id {
            return self.go_on(work, open).await;
        }
        let at = work.now();
        let conversation_id = ConversationId::from_uuid(work.new_uuid());
        let thread_id = ThreadId::from_uuid(work.new_uuid());
        let group_id = self.choose_group(work).await?;
        self.introduce(work, at).await?;
        work.execute::<Visitor>(self.visitor_id, VisitorCommand::OpenChat { conversation_id, at }).await?;
        let start = ConversationCommand::Start {
            visitor: self.visitor_card(work).await?,
            group_id,
            thread_id,
            last_agent_id: visitor.last_agent_id,
            at,
        };
        work.begin::<Conversation>(conversation_id);
        work.execute::<Conversation>(conversation_id, start).await?;
        let visitor_id = self.visitor_id;
        let start = ThreadCommand::Start { conversation_id, visitor_id, previous_thread_id: None, at };
        work.begin::<Thread>(thread_id);
        work.execute::<Thread>(thread_id, start).await?;
        self.say(work, thread_id, at).await?;
        Ok(ChatReceipt { visitor_id, conversation_id, thread_id, at })
    }

    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<ChatReceipt> {
        recall::<Thread, _>(events, |thread_id, event| {
            let ThreadEvent::MessageSent { conversation_id, author: Participant::Visitor(visitor_id), at, .. } = *event
            else {
                return None;
            };
            Some(ChatReceipt { visitor_id, conversation_id, thread_id, at })
        })
    }
}

impl StartChat {
    async fn go_on(&self, work: &mut UnitOfWork, conversation_id: ConversationId) -> Result<ChatReceipt, UseCaseError> {
        let at = work.now();
        let conversation = work.load::<Conversation>(conversation_id).await?;
        let thread_id = conversation.active_thread_id.ok_or(UseCaseError::NotFound(Entity::Thread))?;
        introduce_in_chat(work, conversation_id, (self.visitor_id, self.details.clone())).await?;
        self.say(work, thread_id, at).await?;
        Ok(ChatReceipt { visitor_id: self.visitor_id, conversation_id, thread_id, at })
    }

    async fn introduce(&self, work: &mut UnitOfWork, at: Timestamp) -> Result<(), UseCaseError> {
        let introduce = VisitorCommand::Introduce { details: self.details.clone(), at };
        work.execute::<Visitor>(self.visitor_id, introduce).await?;
        Ok(())
    }

    async fn visitor_card(&self, work: &mut UnitOfWork) -> Result<VisitorCard, UseCaseError> {
        let details = work.load::<Visitor>(self.visitor_id).await?.details.clone();
        Ok(VisitorCard::new(self.visitor_id, details))
    }

    async fn say(&self, work: &mut UnitOfWork, thread_id: ThreadId, at: Timestamp) -> Result<(), UseCaseError> {
        let message = ThreadCommand::SendMessage {
            message_id: EventId::from_uuid(work.new_uuid()),
            author: Participant::Visitor(self.visitor_id),
            text: self.text.clone(),
            client_event_id: self.client_event_id.clone(),
            metadata: self.metadata.clone(),
            at,
        };
        work.execute::<Thread>(thread_id, message).await?;
        Ok(())
    }

    async fn choose_group(&self, work: &mut UnitOfWork) -> Result<GroupId, UseCaseError> {
        let unknown = UseCaseError::UnknownReference { field: "groupId", entity: Entity::Group };
        let chosen = match self.group_id {
            Some(group_id) => Some(group_id),
            None => work.load::<Workspace>(WorkspaceId::ONLY).await?.default_group_id,
        };
        let Some(group_id) = chosen else { return Err(unknown) };
        if work.load::<Group>(group_id).await?.is_present() { Ok(group_id) } else { Err(unknown) }
    }
}

/// A visitor changes name or addresses in an open chat, which shows the latest ones.
pub(super) async fn introduce_in_chat(
    work: &mut UnitOfWork,
    conversation_id: ConversationId,
    (visitor_id, details): (VisitorId, VisitorDetails),
) -> Result<(), UseCaseError> {
    let at = work.now();
    if !work.execute::<Visitor>(visitor_id, VisitorCommand::Introduce { details, at }).await? {
        return Ok(());
    }
    let details = work.load::<Visitor>(visitor_id).await?.details.clone();
    work.execute::<Conversation>(conversation_id, ConversationCommand::ChangeVisitorCard { details, at }).await?;
    Ok(())
}
