use application::ports::Position;
use domain::ids::{ConversationId, EntityId, EventId, ThreadId};
use domain::thread::Messages;
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

    /// The messages of a thread up to a position: that of the last one, 0 if there is none, and how many each side has sent.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_messages(
        &self,
        thread_id: ThreadId,
        up_to: Position,
    ) -> Result<(Position, Messages), QueryError> {
        const SQL: &str =
            "SELECT MAX(position) AS last, COUNT(CASE WHEN author_type = 'visitor' THEN 1 END) AS of_visitor,
            COUNT(CASE WHEN author_type = 'agent' THEN 1 END) AS of_agents
            FROM thread_events WHERE thread_id = ? AND position <= ? AND kind = 'message'";
        let row = self.database.fetch_optional(SQL, sql_args![thread_id.uuid(), up_to]).await?;
        let Some(row) = row else { return Ok((0, Messages::default())) };
        let count = |column| Ok::<_, QueryError>(u32::try_from(row.int(column)?).unwrap_or(u32::MAX));
        let messages = Messages { of_visitor: count("of_visitor")?, of_agents: count("of_agents")? };
        Ok((row.opt_int("last")?.unwrap_or_default(), messages))
    }

    /// The last events of each of these threads, of all threads by position: one statement, however many threads there are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_last_events(&self, threads: &[ThreadId], limit: u32) -> Result<Vec<ThreadEventView>, QueryError> {
        // Each thread by its own index range: a window over all of them would read every event of long threads.
        const OF_THREAD: &str = "SELECT * FROM (SELECT * FROM thread_events WHERE thread_id = ? ORDER BY position DESC LIMIT ?) AS last_events";
        if threads.is_empty() {
            return Ok(vec![]);
        }
        let sql = format!("{} ORDER BY position", vec![OF_THREAD; threads.len()].join(" UNION ALL "));
        let args = threads.iter().flat_map(|thread| sql_args![thread.uuid(), i64::from(limit)]).collect();
        let rows = self.database.fetch_all(&sql, args).await?;
        Ok(rows.iter().map(ThreadEventView::read).collect::<Result<_, _>>()?)
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
