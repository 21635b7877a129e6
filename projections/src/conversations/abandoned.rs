use domain::ids::{ConversationId, EntityId as _, ThreadId};
use domain::time::Timestamp;
use infrastructure::sql_args;

use super::ConversationQueries;
use crate::QueryError;

/// A chat with an agent whose visitor has not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbandonedChat {
    /// The chat.
    pub conversation_id: ConversationId,
    /// The thread that takes messages.
    pub thread_id: ThreadId,
    /// The time of the agent's last word, in microseconds since 1970.
    pub last_word: i64,
}

impl ConversationQueries {
    /// Chats that an agent serves and in which the last message is an agent's and older than a time, longest begun first.
    /// While the agent has yet to answer, a visitor may be away.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_abandoned(&self, before: Timestamp, most: u32) -> Result<Vec<AbandonedChat>, QueryError> {
        const SQL: &str = "SELECT id, active_thread_id, last_message_us FROM conversations
            WHERE status = 'active' AND last_message_us < ? AND 'agent' = (
                SELECT author_type FROM thread_events
                WHERE thread_id = active_thread_id AND kind = 'message' ORDER BY thread_events.position DESC LIMIT 1)
            ORDER BY created_position LIMIT ?";
        let rows = self.database().fetch_all(SQL, sql_args![before, most]).await?;
        let chats = rows.iter().map(|row| {
            Ok(AbandonedChat {
                conversation_id: ConversationId::from_uuid(row.uuid("id")?),
                thread_id: ThreadId::from_uuid(row.uuid("active_thread_id")?),
                last_word: row.int("last_message_us")?,
            })
        });
        chats.collect()
    }
}
