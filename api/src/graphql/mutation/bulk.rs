use std::collections::BTreeSet;

use application::chat::BulkChange;
use async_graphql::{Context, ID, InputObject, Json, Object, OneofObject, Result, SimpleObject};
use domain::ids::ConversationId;
use domain::text::{Name, Note};
use serde_json::json;

use super::chats::{Recipient, RecipientInput};
use super::{Change, Receipt, id, refused};
use crate::graphql::types::Position;
use crate::service::{BulkOutcome, Fields, MAX_CONVERSATIONS, Refusal};

/// What is done to each conversation.
#[derive(OneofObject)]
pub enum BulkActionInput {
    /// Ends their open threads.
    Close(BulkCloseInput),
    /// Puts this tag on them.
    Tag(ID),
    /// Removes this tag from them.
    Untag(ID),
    /// Assigns them to an agent.
    Assign(BulkAssignInput),
    /// Hands them over.
    Transfer(BulkTransferInput),
}

/// The end of conversations.
#[derive(InputObject)]
pub struct BulkCloseInput {
    /// Why, in a few words.
    reason: String,
    /// What the agent wants to remember.
    notes: Option<String>,
}

/// The agent for conversations.
#[derive(InputObject)]
pub struct BulkAssignInput {
    /// The agent who serves them from now on.
    agent_id: ID,
    /// The reason; it is recorded with the assignments.
    reason: Option<String>,
}

/// The recipient of conversations.
#[derive(InputObject)]
pub struct BulkTransferInput {
    /// The agent or the group.
    to: RecipientInput,
    /// The reason; it is recorded with the transfers.
    reason: Option<String>,
}

/// A change of many conversations.
#[derive(InputObject)]
pub struct ChangeConversationsInput {
    /// 1 to 100 ids, each once.
    conversation_ids: Vec<ID>,
    /// What is done to each of them.
    action: BulkActionInput,
}

/// The result for one conversation.
#[derive(Clone, Debug, SimpleObject)]
pub struct BulkResult {
    /// The conversation that the result is about.
    pub conversation_id: ID,
    /// The position of the change in the log; null if nothing changed.
    pub position: Option<Position>,
    /// The reason for a refusal.
    pub refusal: Option<BulkRefusal>,
}

/// The reason why one conversation was not changed.
#[derive(Clone, Debug, SimpleObject)]
pub struct BulkRefusal {
    /// The code that programs may rely on.
    pub code: String,
    /// A description for people.
    pub detail: String,
    /// The errors of single fields.
    pub fields: Json<serde_json::Value>,
}

/// The results of a change of many conversations.
#[derive(Clone, Debug, SimpleObject)]
pub struct ChangeConversationsPayload {
    /// The result for each conversation, in the order of the request.
    pub results: Vec<BulkResult>,
    /// The number of conversations that were changed or needed no change.
    pub succeeded: i32,
    /// The number of refused changes.
    pub failed: i32,
    /// The position of the last change; null if nothing had to change.
    pub position: Option<Position>,
    /// Whether an earlier request with the same idempotency key made a part of the changes.
    pub repeated: bool,
}

/// Changes of many conversations at once.
#[derive(Default)]
pub struct BulkMutations;

#[Object]
impl BulkMutations {
    /// Changes many conversations, each by itself and under the rights of a single change: a refusal does not stop the
    /// others.
    async fn change_conversations(
        &self,
        ctx: &Context<'_>,
        input: ChangeConversationsInput,
        idempotency_key: Option<String>,
    ) -> Option<Result<ChangeConversationsPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let (ids, bulk) = input.check().map_err(refused)?;
                let dispatch = &change.scope.services.dispatch;
                let done = dispatch.execute_bulk(&change.caller, &change.request()?, (bulk, ids)).await;
                let Receipt { position, repeated } = Receipt::of(&done);
                let results: Vec<_> = done.output.into_iter().map(BulkResult::of).collect();
                let failed = results.iter().filter(|result| result.refusal.is_some()).count();
                let count = |number| i32::try_from(number).unwrap_or(i32::MAX);
                let (succeeded, failed) = (count(results.len() - failed), count(failed));
                Ok(ChangeConversationsPayload { results, succeeded, failed, position, repeated })
            }
            .await,
        )
    }
}

impl BulkResult {
    fn of(BulkOutcome { conversation_id, outcome }: BulkOutcome) -> Self {
        let (position, refusal) = match outcome {
            Ok(position) => (position.map(Position), None),
            Err(refusal) => (None, Some(BulkRefusal::of(refusal))),
        };
        Self { conversation_id: conversation_id.into(), position, refusal }
    }
}

impl BulkRefusal {
    fn of(refusal: Refusal) -> Self {
        let fields = Json(json!(refusal.fields));
        Self { code: refusal.code.as_str().to_owned(), detail: refusal.detail, fields }
    }
}

impl ChangeConversationsInput {
    fn check(&self) -> Result<(Vec<ConversationId>, BulkChange), Refusal> {
        let mut fields = Fields::default();
        let ids = self.check_ids(&mut fields);
        let action = self.action.check(&mut fields);
        fields.finish_with(ids.zip(action))
    }

    fn check_ids(&self, fields: &mut Fields) -> Option<Vec<ConversationId>> {
        let field = "conversationIds";
        if !(1..=MAX_CONVERSATIONS).contains(&self.conversation_ids.len()) {
            return fields.refuse(field, format!("must hold 1 to {MAX_CONVERSATIONS} ids"));
        }
        let ids: Option<Vec<ConversationId>> = self.conversation_ids.iter().map(|id| id.parse().ok()).collect();
        let Some(ids) = ids else { return fields.refuse(field, "must hold UUIDs") };
        if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
            return fields.refuse(field, "must hold each id once");
        }
        Some(ids)
    }
}

impl BulkActionInput {
    fn check(&self, fields: &mut Fields) -> Option<BulkChange> {
        match self {
            Self::Close(BulkCloseInput { reason, notes }) => {
                let reason = fields.text("action.close.reason", reason, Name::parse);
                let notes = fields.optional("action.close.notes", notes.as_deref(), Note::parse);
                Some(BulkChange::Close { reason: reason?, notes })
            }
            Self::Tag(tag) => Some(BulkChange::Tag { tag_id: id(fields, "action.tag", tag)?, on: true }),
            Self::Untag(tag) => Some(BulkChange::Tag { tag_id: id(fields, "action.untag", tag)?, on: false }),
            Self::Assign(BulkAssignInput { agent_id, reason }) => {
                let agent_id = id(fields, "action.assign.agentId", agent_id);
                let reason = fields.optional("action.assign.reason", reason.as_deref(), Note::parse);
                Some(BulkChange::Assign { agent_id: agent_id?, reason })
            }
            Self::Transfer(BulkTransferInput { to, reason }) => {
                let recipient = to.check(fields, "action.transfer.to.");
                let reason = fields.optional("action.transfer.reason", reason.as_deref(), Note::parse);
                Some(match recipient? {
                    Recipient::Agent(agent_id) => BulkChange::HandOver { agent_id, reason },
                    Recipient::Group(group_id) => BulkChange::Transfer { group_id, reason },
                })
            }
        }
    }
}
