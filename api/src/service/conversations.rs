use std::collections::BTreeMap;

use application::ports::{Position, Principal, Sequence};
use domain::ids::{ConversationId, ThreadId};
use projections::conversations::{ConversationCounts, ConversationFilter, ConversationOrder};
use projections::{Page, PageRequest};

use super::reading::{AssignmentView, NamedConversation, NamedEvent, Reading, ShownThread, Standing};
use super::views::ReadModel;
use super::{Action, Caller, FreshReads, Refusal};

/// The views of a list: the conversations, and the groups of its reader.
const LISTED: [ReadModel; 2] = [ReadModel::Conversations, ReadModel::Agents];

/// Reads conversations for callers, at least as fresh as the caller demands. [`Reading`] knows the rights and the names.
#[derive(Clone)]
pub struct Conversations {
    /// Waits for the views.
    pub freshness: FreshReads,
    /// Reads them.
    pub reading: Reading,
}

/// The events of a thread that a caller asks for.
#[derive(Clone, Copy, Debug)]
pub struct EventsRequest {
    pub thread_id: ThreadId,
    /// The position after which the page begins.
    pub after: Position,
    /// The most events of the page.
    pub limit: u32,
    /// The position that the answer must show at least.
    pub at_least: Option<Position>,
}

impl Conversations {
    /// Reads one conversation.
    ///
    /// # Errors
    /// [`super::Code::NotFound`], also where the caller may not read it.
    pub async fn find(
        &self,
        caller: &Caller,
        id: ConversationId,
        at_least: Option<Position>,
    ) -> Result<NamedConversation, Refusal> {
        self.reading.ensure_conversation_readable(caller.principal, id).await?;
        let as_of = self.freshness.reach_as_of(at_least, &[ReadModel::Conversations], caller.as_of).await?;
        Ok(self.reading.conversation(caller.principal, id, as_of).await?)
    }

    /// Reads a conversation that the principal has just changed.
    ///
    /// # Errors
    /// [`super::Code::PositionNotReached`] when the view does not know the conversation yet.
    pub async fn find_changed(&self, principal: Principal, id: ConversationId) -> Result<NamedConversation, Refusal> {
        Ok(self.reading.changed_conversation(principal, id).await?)
    }

    /// Lists the conversations that the caller may read.
    ///
    /// # Errors
    /// When the views are behind the position or cannot be read.
    pub async fn list(
        &self,
        caller: &Caller,
        (filter, order): (ConversationFilter, ConversationOrder),
        page: &PageRequest,
        at_least: Option<Position>,
    ) -> Result<Page<NamedConversation>, Refusal> {
        let as_of = self.freshness.reach_as_of(at_least, &LISTED, caller.as_of).await?;
        if filter.search.is_some() {
            // No write waits for the words.
            self.freshness.reach_head(at_least, &[ReadModel::Search], as_of).await?;
        }
        Ok(self.reading.list_conversations(caller.principal, filter, (order, page), as_of).await?)
    }

    /// Counts the conversations that the caller may read, by status.
    ///
    /// # Errors
    /// When the view is behind the position or cannot be read.
    pub async fn count(
        &self,
        caller: &Caller,
        filter: ConversationFilter,
        at_least: Option<Position>,
    ) -> Result<ConversationCounts, Refusal> {
        let as_of = self.freshness.reach_as_of(at_least, &LISTED, caller.as_of).await?;
        Ok(self.reading.count_conversations(caller.principal, filter, as_of).await?)
    }

    /// Reads a page of a thread's events.
    ///
    /// # Errors
    /// [`super::Code::NotFound`], also where the caller may not read the thread.
    pub async fn list_events(&self, caller: &Caller, request: EventsRequest) -> Result<Page<NamedEvent>, Refusal> {
        let EventsRequest { thread_id, after, limit, at_least } = request;
        self.reading.ensure_thread_readable(caller.principal, thread_id).await?;
        let as_of = self.freshness.reach_as_of(at_least, &[ReadModel::ThreadEvents], caller.as_of).await?;
        Ok(self.reading.list_thread_events(thread_id, (after, limit), as_of).await?)
    }

    /// Reads the last events of threads that the caller has been shown: one statement for all of them.
    ///
    /// # Errors
    /// When the view is behind the position or cannot be read.
    pub async fn last_events(
        &self,
        caller: &Caller,
        (threads, limit): (&[ShownThread], u32),
        at_least: Option<Position>,
    ) -> Result<BTreeMap<ThreadId, Vec<NamedEvent>>, Refusal> {
        let as_of = self.freshness.reach_as_of(at_least, &[ReadModel::ThreadEvents], caller.as_of).await?;
        Ok(self.reading.list_last_events(threads, limit, as_of).await?)
    }

    /// Lists the assignments, returns and closings of a conversation after a version, for agents.
    ///
    /// # Errors
    /// [`super::Code::NotFound`], also where the caller may not read the conversation; [`super::Code::Forbidden`].
    pub async fn list_assignments(
        &self,
        caller: &Caller,
        id: ConversationId,
        from: (Sequence, u32),
        at_least: Option<Position>,
    ) -> Result<Page<AssignmentView>, Refusal> {
        caller.ensure_may(Action::ListAssignments)?;
        self.reading.ensure_conversation_readable(caller.principal, id).await?;
        let as_of = self.freshness.reach_as_of(at_least, &[ReadModel::Conversations], caller.as_of).await?;
        Ok(self.reading.list_assignments(id, from, as_of).await?)
    }

    /// The conversation of a thread. Whether the caller may know of it is not checked.
    ///
    /// # Errors
    /// [`super::Code::NotFound`] when there is no such thread.
    pub async fn of_thread(&self, id: ThreadId) -> Result<ConversationId, Refusal> {
        self.reading.conversation_of(id).await?.ok_or_else(|| Refusal::not_found("thread"))
    }

    /// Where a chat stands that its visitor has just begun or continued.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub async fn standing(&self, id: ConversationId) -> Result<Standing, Refusal> {
        Ok(self.reading.standing(id).await?)
    }
}
