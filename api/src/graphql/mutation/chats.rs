use application::chat::{AssignAgent, Chooser, CloseChat, IfUnchanged, TagChat, TransferChat};
use application::ports::Principal;
use async_graphql::{Context, ID, InputObject, Json, Object, OneofObject, Result};
use domain::ids::{AgentId, ConversationId, GroupId, TagId, ThreadId};
use domain::text::{ClientEventId, MessageText, Metadata, Name, Note};
use serde_json::Value;

use super::{
    Change, ConversationPayload, DONE, DonePayload, MessagePayload, ReadingPayload, ReadingProgress, Receipt, id,
    refused, version,
};
use crate::graphql::types::{
    ActivityState, AuthorType, DateTime, Position, Siblings, ThreadEvent, ThreadEventType, shown_conversation,
};
use crate::service::{Fields, NewMessage, Place, Refusal, UseCase};

/// The place of a message.
#[derive(OneofObject)]
pub enum PlaceInput {
    /// Must be open.
    ThreadId(ID),
    /// The open thread of a conversation.
    ConversationId(ID),
}

/// What is said, and where.
#[derive(InputObject)]
pub struct SendMessageInput {
    to: PlaceInput,
    /// At most 16 KiB.
    content: String,
    /// The client's own id of the message: sent again with it, the message is taken once.
    client_event_id: Option<String>,
    /// Data that the server returns with the message; an object of at most 4 KiB.
    metadata: Option<Json<Value>>,
}

/// The recipient of a conversation.
#[derive(OneofObject)]
pub enum RecipientInput {
    /// The agent who serves the chat from now on.
    AgentId(ID),
    /// The group in whose queue the chat waits.
    GroupId(ID),
}

/// The end of a conversation.
#[derive(InputObject)]
pub struct CloseConversationInput {
    id: ID,
    /// Why, in a few words.
    reason: String,
    /// What the agent wants to remember; visitors neither leave nor see notes.
    notes: Option<String>,
}

/// An agent or a group, as a recipient.
pub(super) enum Recipient {
    Agent(AgentId),
    Group(GroupId),
}

/// Messages, and changes of one conversation.
#[derive(Default)]
pub struct ChatMutations;

#[Object]
impl ChatMutations {
    /// Sends a message; for participants.
    async fn send_message(
        &self,
        ctx: &Context<'_>,
        input: SendMessageInput,
        idempotency_key: Option<String>,
    ) -> Option<Result<MessagePayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let (place, message) = input.check().map_err(refused)?;
                let sending = (place, message.clone());
                let messages = &change.scope.services.messages;
                let done = messages.send(&change.caller, &change.request()?, sending).await.map_err(refused)?;
                let receipt = Receipt::of(&done);
                let (author_type, author_id) = author(change.caller.principal);
                let sent = ThreadEvent {
                    id: done.output.receipt.message_id.into(),
                    position: receipt.position.clone(),
                    thread_id: done.output.receipt.thread_id.into(),
                    r#type: ThreadEventType::Message,
                    author_type,
                    author_id: Some(author_id),
                    author_name: done.output.author_name.map(|name| name.as_str().to_owned()),
                    content: message.text.as_str().to_owned(),
                    system_type: None,
                    client_event_id: message.client_event_id.map(|id| id.as_str().to_owned()),
                    metadata: message.metadata.map(|metadata| Json(metadata.as_value().clone())),
                    created_at: DateTime(done.output.receipt.at.to_string()),
                };
                Ok(MessagePayload::new(sent, receipt))
            }
            .await,
        )
    }

    /// Notes that the caller has read a thread up to a position; for participants and agents of the group. Marks only move
    /// forward.
    async fn mark_read(
        &self,
        ctx: &Context<'_>,
        thread_id: ID,
        #[graphql(desc = "The position of the last event that the caller has seen.")] up_to: Position,
        idempotency_key: Option<String>,
    ) -> Option<Result<ReadingPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let mut fields = Fields::default();
                let thread = fields.id::<ThreadId>("threadId", Some(&thread_id));
                let thread = fields.finish_with(thread).map_err(refused)?;
                let receipts = &change.scope.services.receipts;
                let mark = receipts.mark(&change.caller, thread, up_to.0).await.map_err(refused)?;
                let (receipt, done) = change.run(mark).await?;
                let progress = ReadingProgress { thread_id, up_to: Position(receipt.up_to) };
                Ok(ReadingPayload::new(progress, done))
            }
            .await,
        )
    }

    /// Shows readers of the live stream that the caller writes, or has stopped to; for participants. Nothing is stored.
    async fn signal_typing(
        &self,
        ctx: &Context<'_>,
        conversation_id: ID,
        state: ActivityState,
        #[graphql(desc = "What a visitor has written so far; agents see it only if the installation allows it.")]
        draft: Option<String>,
    ) -> Option<Result<DonePayload>> {
        Some(
            async {
                let change = Change::begin(ctx, None).await?;
                let mut fields = Fields::default();
                let chat = fields.id::<ConversationId>("conversationId", Some(&conversation_id));
                let chat = fields.finish_with(chat).map_err(refused)?;
                let (activity, typing) = (&change.scope.services.activity, (state.into(), draft.as_deref()));
                activity.type_in(change.caller.principal, chat, typing).await.map_err(refused)?;
                Ok(DONE)
            }
            .await,
        )
    }

    /// Assigns a conversation to an agent: agents of the group take it, and supervisors give it to anybody.
    async fn assign_conversation(
        &self,
        ctx: &Context<'_>,
        id: ID,
        agent_id: ID,
        #[graphql(desc = "Why; it is recorded with the assignment.")] reason: Option<String>,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<ConversationPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let mut fields = Fields::default();
                let conversation_id = fields.id::<ConversationId>("id", Some(&id));
                let agent_id = fields.id::<AgentId>("agentId", Some(&agent_id));
                let reason = fields.optional("reason", reason.as_deref(), Note::parse);
                let (conversation_id, agent_id) = fields.finish_with(conversation_id.zip(agent_id)).map_err(refused)?;
                let chooser = Chooser::Person { principal: change.caller.principal, reason };
                let assign = AssignAgent { conversation_id, agent_id, chooser };
                carry_out(&change, (conversation_id, if_match), assign).await
            }
            .await,
        )
    }

    /// Hands a conversation to a colleague, or to a group in whose queue it waits; for its agent and supervisors.
    async fn transfer_conversation(
        &self,
        ctx: &Context<'_>,
        id: ID,
        to: RecipientInput,
        #[graphql(desc = "Why; it is recorded with the transfer.")] reason: Option<String>,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<ConversationPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let mut fields = Fields::default();
                let conversation_id = fields.id::<ConversationId>("id", Some(&id));
                let recipient = to.check(&mut fields, "to.");
                let reason = fields.optional("reason", reason.as_deref(), Note::parse);
                let (conversation_id, recipient) =
                    fields.finish_with(conversation_id.zip(recipient)).map_err(refused)?;
                let (principal, chat) = (change.caller.principal, (conversation_id, if_match));
                match recipient {
                    Recipient::Agent(agent_id) => {
                        let chooser = Chooser::Transfer { principal, reason };
                        carry_out(&change, chat, AssignAgent { conversation_id, agent_id, chooser }).await
                    }
                    Recipient::Group(group_id) => {
                        carry_out(&change, chat, TransferChat { principal, conversation_id, group_id, reason }).await
                    }
                }
            }
            .await,
        )
    }

    /// Closes a conversation; for its agent, supervisors and its visitor.
    async fn close_conversation(
        &self,
        ctx: &Context<'_>,
        input: CloseConversationInput,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<ConversationPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let mut fields = Fields::default();
                let conversation_id = fields.id::<ConversationId>("id", Some(&input.id));
                let reason = fields.text("reason", &input.reason, Name::parse);
                let notes = fields.optional("notes", input.notes.as_deref(), Note::parse);
                let (conversation_id, reason) = fields.finish_with(conversation_id.zip(reason)).map_err(refused)?;
                let close = CloseChat { principal: change.caller.principal, conversation_id, reason, notes };
                carry_out(&change, (conversation_id, if_match), close).await
            }
            .await,
        )
    }

    /// Reopens a closed conversation with a new thread; for its last agent, supervisors and its visitor.
    async fn reopen_conversation(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<ConversationPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let conversation_id = parsed(&id)?;
                let (arrivals, chat) = (&change.scope.services.arrivals, (conversation_id, version(if_match)));
                let reopen = async |context| arrivals.reopen((&change.entrance, &change.caller), context, chat).await;
                let ((), receipt) = change.carry_out(reopen).await?;
                payload(&change, conversation_id, receipt).await
            }
            .await,
        )
    }

    /// Puts a tag on a conversation; for agents who take part and supervisors.
    async fn tag_conversation(
        &self,
        ctx: &Context<'_>,
        id: ID,
        tag_id: ID,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<ConversationPayload>> {
        Some(async { tag(&Change::begin(ctx, idempotency_key).await?, (&id, &tag_id, if_match), true).await }.await)
    }

    /// Removes a tag from a conversation; for agents who take part and supervisors.
    async fn untag_conversation(
        &self,
        ctx: &Context<'_>,
        id: ID,
        tag_id: ID,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<ConversationPayload>> {
        Some(async { tag(&Change::begin(ctx, idempotency_key).await?, (&id, &tag_id, if_match), false).await }.await)
    }
}

async fn tag(
    change: &Change<'_>,
    (conversation_id, tag_id, if_match): (&ID, &ID, Option<i32>),
    on: bool,
) -> Result<ConversationPayload> {
    let mut fields = Fields::default();
    let ids = (id::<ConversationId>(&mut fields, "id", conversation_id), id::<TagId>(&mut fields, "tagId", tag_id));
    let (conversation_id, tag_id) = fields.finish_with(ids.0.zip(ids.1)).map_err(refused)?;
    let principal = change.caller.principal;
    carry_out(change, (conversation_id, if_match), TagChat { principal, conversation_id, tag_id, on }).await
}

/// Makes a change of a conversation that is in the version which the caller knows.
async fn carry_out<U: UseCase>(
    change: &Change<'_>,
    (conversation_id, if_match): (ConversationId, Option<i32>),
    use_case: U,
) -> Result<ConversationPayload> {
    let (principal, known_version) = (change.caller.principal, version(if_match));
    let use_case = IfUnchanged { principal, conversation_id, known_version, change: use_case };
    let (_, receipt) = change.run(use_case).await?;
    payload(change, conversation_id, receipt).await
}

async fn payload(change: &Change<'_>, id: ConversationId, receipt: Receipt) -> Result<ConversationPayload> {
    let conversations = &change.scope.services.conversations;
    let conversation = conversations.find_changed(change.caller.principal, id).await.map_err(refused)?;
    let shown = shown_conversation(&conversation, &Siblings::of([&conversation]))?;
    Ok(ConversationPayload::new(shown, receipt))
}

fn parsed(conversation_id: &ID) -> Result<ConversationId> {
    let mut fields = Fields::default();
    let conversation_id = id(&mut fields, "id", conversation_id);
    fields.finish_with(conversation_id).map_err(refused)
}

fn author(principal: Principal) -> (AuthorType, ID) {
    match principal {
        Principal::Visitor { id } => (AuthorType::Visitor, id.into()),
        Principal::Agent { id, .. } => (AuthorType::Agent, id.into()),
    }
}

/// The metadata of a message, or a note of what is wrong with it.
pub(super) fn metadata(fields: &mut Fields, json: Option<&Json<Value>>) -> Option<Metadata> {
    let parsed = Metadata::parse(&json?.0.to_string());
    parsed.map_or_else(|error| fields.refuse("metadata", error.to_string()), Some)
}

impl SendMessageInput {
    fn check(self) -> Result<(Place, NewMessage), Refusal> {
        let mut fields = Fields::default();
        let place = match &self.to {
            PlaceInput::ThreadId(thread) => id::<ThreadId>(&mut fields, "to.threadId", thread).map(Place::Thread),
            PlaceInput::ConversationId(chat) => {
                id::<ConversationId>(&mut fields, "to.conversationId", chat).map(Place::Conversation)
            }
        };
        let text = fields.text("content", &self.content, MessageText::parse);
        let client_event_id = fields.optional("clientEventId", self.client_event_id.as_deref(), ClientEventId::parse);
        let metadata = metadata(&mut fields, self.metadata.as_ref());
        let (place, text) = fields.finish_with(place.zip(text))?;
        Ok((place, NewMessage { text, client_event_id, metadata }))
    }
}

impl RecipientInput {
    /// The recipient; `prefix` stands before the names of the fields.
    pub(super) fn check(&self, fields: &mut Fields, prefix: &str) -> Option<Recipient> {
        match self {
            Self::AgentId(agent) => id(fields, &format!("{prefix}agentId"), agent).map(Recipient::Agent),
            Self::GroupId(group) => id(fields, &format!("{prefix}groupId"), group).map(Recipient::Group),
        }
    }
}
