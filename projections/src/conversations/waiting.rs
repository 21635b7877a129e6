use domain::ids::{ConversationId, EntityId as _, GroupId, VisitorId};
use domain::time::Timestamp;
use infrastructure::sql_args;

use super::ConversationQueries;
use crate::QueryError;

/// A chat that waits for an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingChat {
    pub conversation_id: ConversationId,
    pub visitor_id: VisitorId,
    /// The group in whose queue it waits.
    pub group_id: GroupId,
    /// When its present wait began.
    pub waiting_since: Timestamp,
}

impl ConversationQueries {
    /// The chats that wait, group by group, each group in the order of its queue; of more than `most` chats, those that began
    /// first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_waiting(&self, most: u32) -> Result<Vec<WaitingChat>, QueryError> {
        const SQL: &str = "SELECT id, visitor_id, group_id, arrival, waiting_since_us FROM conversations
            WHERE status = 'pending' ORDER BY created_position LIMIT ?";
        let rows = self.database().fetch_all(SQL, sql_args![most]).await?;
        let chats = rows.iter().map(|row| {
            let chat = WaitingChat {
                conversation_id: ConversationId::from_uuid(row.uuid("id")?),
                visitor_id: VisitorId::from_uuid(row.uuid("visitor_id")?),
                group_id: GroupId::from_uuid(row.uuid("group_id")?),
                waiting_since: Timestamp::from_micros(row.opt_int("waiting_since_us")?.unwrap_or_default()),
            };
            Ok((row.int("arrival")?, chat))
        });
        let mut chats = chats.collect::<Result<Vec<_>, QueryError>>()?;
        chats.sort_by_key(|(arrival, chat)| (chat.group_id, *arrival));
        Ok(chats.into_iter().map(|(_, chat)| chat).collect())
    }
}
