use application::ports::Position;
use domain::ids::{ConversationId, EntityId, EventId, ThreadId};
use infrastructure::database::Database;
use infrastructure::sql_args;

use super::ThreadEventView;
use crate::{Page, QueryError};

/// A thread and the conversation it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadView {
    pub id: ThreadId,
    pub conversation_id: ConversationId,
}

/// Reads threads.
#[derive(Clone, Debug)]
pub struct ThreadEventQueries {
    database: Database,
}

impl ThreadEventQueries {
    /// Over this database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// A thread.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_thread(&self, id: ThreadId) -> Result<Option<ThreadView>, QueryError> {
        const SQL: &str = "SELECT conversation_id FROM threads WHERE id = ?";
        let Some(row) = self.database.fetch_optional(SQL, sql_args![id.uuid()]).await? else { return Ok(None) };
        Ok(Some(ThreadView { id, conversation_id: ConversationId::from_uuid(row.uuid("conversation_id")?) }))
    }

    /// A message or a system event.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_event(&self, id: EventId) -> Result<Option<ThreadEventView>, QueryError> {
        const SQL: &str = "SELECT * FROM thread_events WHERE id = ?";
        let row = self.database.fetch_optional(SQL, sql_args![id.uuid()]).await?;
        Ok(row.map(|row| ThreadEventView::read(&row)).transpose()?)
    }

    /// The position of the last message of a thread up to a position.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_last_message(
        &self,
        thread_id: ThreadId,
        up_to: Position,
    ) -> Result<Option<Position>, QueryError> {
        const SQL: &str =
            "SELECT position FROM thread_events WHERE thread_id = ? AND position <= ? AND kind = 'message'
            ORDER BY position DESC LIMIT 1";
        let row = self.database.fetch_optional(SQL, sql_args![thread_id.uuid(), up_to]).await?;
        Ok(row.map(|row| row.int("position")).transpose()?)
    }

    /// The events of a thread after a position, in order; `nextCursor` is the position to go on after. A client
    /// that follows the thread goes on after the position of its last event.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_thread_events(
        &self,
        thread_id: ThreadId,
        after: Position,
        limit: u32,
    ) -> Result<Page<ThreadEventView>, QueryError> {
        const SQL: &str = "SELECT * FROM thread_events WHERE thread_id = ? AND position > ? ORDER BY position LIMIT ?";
        let rows = self.database.fetch_all(SQL, sql_args![thread_id.uuid(), after, i64::from(limit) + 1]).await?;
        let events = rows.iter().map(ThreadEventView::read).collect::<Result<_, _>>()?;
        Ok(Page::cut(events, limit, |last| last.position.to_string()))
    }
}
