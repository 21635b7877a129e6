use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use serde::Deserialize;

use super::{ConversationStatus, DateTime, Position, ReaderType, Siblings, ThreadEvent};
use crate::graphql::errors::error_of;
use crate::graphql::scope::Scope;
use crate::service::Fields;
use crate::service::reading::{DEFAULT_LIMIT, MAX_LIMIT};

/// A conversation: everything between a visitor and the agents about one matter.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[graphql(complex)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// A UUID, assigned when the conversation begins.
    pub id: ID,
    /// Whether the conversation waits, is served or has ended.
    pub status: ConversationStatus,
    /// The visitor of the conversation.
    pub visitor: Visitor,
    /// The group that serves the conversation.
    pub group_id: ID,
    /// The agent who serves the conversation now, with the name, which outlasts a deletion.
    pub assigned_agent: Option<AgentLabel>,
    /// The agent who serves the conversation or served it last, also while it waits or is closed.
    pub last_agent: Option<AgentLabel>,
    /// The thread that accepts messages; null while the conversation is closed.
    pub active_thread_id: Option<ID>,
    /// The ids of all threads, oldest first.
    pub thread_ids: Vec<ID>,
    /// The conversation's tags, whose names outlast a deletion; null for visitors.
    pub tags: Option<Vec<TagLabel>>,
    /// The position in the group's queue, from 1, while the conversation waits.
    pub queue_position: Option<i32>,
    /// Messages of both sides count.
    pub last_message_at: Option<DateTime>,
    /// The time at which the conversation began.
    pub created_at: DateTime,
    /// The time at which the conversation was closed, unless it was reopened.
    pub closed_at: Option<DateTime>,
    /// The messages of the other side that nobody of the caller's side has seen: for agents those of the visitor, for the
    /// visitor those of agents.
    pub unread: i32,
    /// How far the visitor and the agents have read; those who have left no mark are absent.
    pub seen_up_to: Vec<SeenUpTo>,
    /// The position of the last event that changed what is shown here, messages included.
    pub position: Position,
    /// The version for `ifMatch`, which grows with every change.
    pub version: i32,
    /// The page that it is shown on.
    #[graphql(skip)]
    #[serde(skip)]
    pub(in crate::graphql) siblings: Arc<Siblings>,
}

#[ComplexObject]
impl Conversation {
    /// The last messages and system events of the last thread, in order. All conversations of a page are read together.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The most events, 1 to 100; 25 when absent.")] last: Option<i32>,
    ) -> Option<Result<Vec<ThreadEvent>>> {
        Some(self.last_events(ctx, last).await)
    }
}

impl Conversation {
    async fn last_events(&self, ctx: &Context<'_>, last: Option<i32>) -> Result<Vec<ThreadEvent>> {
        let mut fields = Fields::default();
        let limit = last.map_or(Some(DEFAULT_LIMIT), |last| u32::try_from(last).ok());
        let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
        let limit = limit.or_else(|| fields.refuse("last", format!("must be a number from 1 to {MAX_LIMIT}")));
        let limit = fields.finish_with(limit).map_err(|refusal| error_of(&refusal))?;
        let Some(thread) = self.thread_ids.last() else { return Ok(vec![]) };
        self.siblings.last_events(Scope::of(ctx)?, thread, limit).await
    }
}

/// A visitor as they introduced themselves when the chat began.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
pub struct Visitor {
    /// A UUID, assigned at the first session.
    pub id: ID,
    /// The visitor's name.
    pub name: Option<String>,
    /// The visitor's e-mail address.
    pub email: Option<String>,
    /// The visitor's telephone number.
    pub phone: Option<String>,
}

/// How far somebody has read a conversation.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
pub struct SeenUpTo {
    /// The kind of reader.
    pub r#type: ReaderType,
    /// The visitor's or the agent's id.
    pub id: ID,
    /// The position of the last message that the reader has seen.
    pub position: Position,
}

/// An agent's id and name.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
pub struct AgentLabel {
    /// A UUID, assigned at the registration.
    pub id: ID,
    /// The agent's name.
    pub name: String,
}

/// A tag's id, name and colour.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
pub struct TagLabel {
    /// A UUID, assigned at the creation.
    pub id: ID,
    /// The tag's name.
    pub name: String,
    /// The tag's colour as #RRGGBB.
    pub color: Option<String>,
}

/// The number of conversations by status.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
pub struct ConversationCounts {
    /// Waiting conversations.
    pub pending: i32,
    /// Conversations that an agent serves.
    pub active: i32,
    /// Closed conversations.
    pub closed: i32,
    /// All conversations.
    pub total: i32,
}
