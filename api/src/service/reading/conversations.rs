use application::chat::{ensure_conversation_readable, groups_still_of, may_read_all};
use application::ports::{AsOf, Principal};
use application::{Entity, UseCaseError};
use domain::conversation::{Conversation, ConversationStatus};
use domain::ids::ConversationId;
use projections::conversations::{
    ConversationCounts, ConversationFilter, ConversationOrder, ConversationView, Visibility,
};
use projections::{Page, PageRequest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{NamedConversation, Reading, ReadingError};

/// What may change of a chat between the first and the repeated request for it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Whether the conversation waits or is served.
    status: ConversationStatus,
    /// The position in the group's queue, from 1; absent when an agent serves the chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    queue_position: Option<i64>,
}

impl Reading {
    /// Refuses callers who may not read a conversation, as if it did not exist.
    ///
    /// # Errors
    /// That it does not exist, or why that could not be found out.
    pub async fn ensure_conversation_readable(
        &self,
        principal: Principal,
        id: ConversationId,
    ) -> Result<(), ReadingError> {
        Ok(ensure_conversation_readable(&self.bus, principal, id).await?)
    }

    /// A conversation. Whether the caller may read it is asked before, by [`Self::ensure_conversation_readable`]: an answer
    /// that the view is behind would show that it exists.
    ///
    /// # Errors
    /// [`Entity::Conversation`] is not found; [`ReadingError::ViewBehind`].
    pub async fn conversation(
        &self,
        principal: Principal,
        id: ConversationId,
        as_of: AsOf,
    ) -> Result<NamedConversation, ReadingError> {
        let view = self.view(id).await?;
        self.named_conversation(principal, view, as_of).await
    }

    /// A conversation that the caller has just changed, with the names of now: the answer may be kept, and must not be
    /// older than the change.
    ///
    /// # Errors
    /// [`ReadingError::ViewBehind`], or when the log or the view cannot be read.
    pub async fn changed_conversation(
        &self,
        principal: Principal,
        id: ConversationId,
    ) -> Result<NamedConversation, ReadingError> {
        let view = self.view(id).await?;
        let as_of = self.bus.as_of_now().await?;
        self.named_conversation(principal, view, as_of).await
    }

    /// A page of the conversations that the caller may read.
    ///
    /// # Errors
    /// When the cursor is none, or the log or the view cannot be read.
    pub async fn list_conversations(
        &self,
        principal: Principal,
        filter: ConversationFilter,
        (order, page): (ConversationOrder, &PageRequest),
        as_of: AsOf,
    ) -> Result<Page<NamedConversation>, ReadingError> {
        let filter = self.visible(principal, filter, as_of).await?;
        let Page { data, next_cursor } = self.conversations.list_conversations(&filter, order, page).await?;
        Ok(Page { data: self.named_conversations(principal, data, as_of).await?, next_cursor })
    }

    /// How many of the conversations that the caller may read wait, are served, and are closed.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub async fn count_conversations(
        &self,
        principal: Principal,
        filter: ConversationFilter,
        as_of: AsOf,
    ) -> Result<ConversationCounts, ReadingError> {
        let filter = self.visible(principal, filter, as_of).await?;
        Ok(self.conversations.count_conversations(&filter).await?)
    }

    /// Where a chat stands that its visitor has just begun or continued. A chat that the view does not have yet waits like
    /// every other new chat.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub async fn standing(&self, id: ConversationId) -> Result<Standing, ReadingError> {
        let view = self.conversations.find_conversation(id).await?;
        let of = |view: ConversationView| Standing { status: view.status, queue_position: view.queue_position };
        Ok(view.map_or_else(Standing::default, of))
    }

    async fn view(&self, id: ConversationId) -> Result<ConversationView, ReadingError> {
        if let Some(view) = self.conversations.find_conversation(id).await? {
            return Ok(view);
        }
        // A conversation that the log has and the view does not have yet is not missing.
        if self.bus.peek::<Conversation>(id).await?.has_started() {
            return Err(ReadingError::ViewBehind);
        }
        Err(UseCaseError::NotFound(Entity::Conversation).into())
    }

    /// The filter without the conversations that the caller may not read. The view says which groups to look at, and the log
    /// whether the caller is still in them: a view that is behind shows no agent the chats of a group that the agent has left.
    async fn visible(
        &self,
        principal: Principal,
        filter: ConversationFilter,
        as_of: AsOf,
    ) -> Result<ConversationFilter, ReadingError> {
        if may_read_all(principal) {
            return Ok(filter);
        }
        let Principal::Agent { id: agent_id, .. } = principal else {
            return Err(UseCaseError::Forbidden("only agents may do this").into());
        };
        let group_ids = self.agents.groups_of(agent_id).await?;
        let group_ids = groups_still_of(&self.bus, principal, group_ids, as_of).await?;
        Ok(ConversationFilter { visible_to: Some(Visibility { agent_id, group_ids }), ..filter })
    }
}
