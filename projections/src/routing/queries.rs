use application::ports::Position;
use domain::ids::{ConversationId, EntityId, GroupId};
use domain::time::Timestamp;
use infrastructure::database::{Database, Row};
use infrastructure::sql_args;
use serde::Serialize;

use super::snapshot::waiting_chat;
use crate::queue_positions::{PositionBounds, QueuePositions, Queues};
use crate::{Page, PageRequest, QueryError, cursor};

/// A waiting chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueuedChat {
    /// The chat's id.
    pub conversation_id: ConversationId,
    /// The group whose queue the chat is in.
    pub group_id: GroupId,
    /// The position in that queue, from 1.
    pub queue_position: i64,
    /// The time at which the chat began to wait.
    pub waiting_since: Timestamp,
    /// The number of failed assignments.
    pub attempts: u32,
    /// The time of the router's next attempt; if null, the router tries again at the next change.
    pub next_attempt_at: Option<Timestamp>,
    /// The reason why the last attempt failed.
    pub last_error: Option<String>,
    /// Orders the queue.
    #[serde(skip)]
    pub arrival: Position,
}

/// Reads the queues.
#[derive(Clone, Debug)]
pub struct RoutingQueries {
    database: Database,
    bounds: PositionBounds,
}

impl RoutingQueries {
    /// Over this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database, bounds: PositionBounds::default() }
    }

    /// With other bounds than those that suit a large store.
    #[cfg(test)]
    pub(crate) fn bounded(self, bounds: PositionBounds) -> Self {
        Self { bounds, ..self }
    }

    /// The chats that wait in a group's queue, or in all of them; first come first.
    ///
    /// # Errors
    /// When the cursor is not one of this list, or the database does not answer.
    pub async fn list_queue(
        &self,
        group_id: Option<GroupId>,
        request: &PageRequest,
    ) -> Result<Page<QueuedChat>, QueryError> {
        const ALL: &str = "SELECT * FROM routing_queue WHERE arrival > ? ORDER BY arrival LIMIT ?";
        const OF_GROUP: &str =
            "SELECT * FROM routing_queue WHERE group_id = ? AND arrival > ? ORDER BY arrival LIMIT ?";
        let list = group_id.map_or_else(|| "queue".to_owned(), |group_id| format!("queue:{group_id}"));
        let after = cursor::decode(&list, request.cursor.as_deref())?.unwrap_or_default();
        let rows = i64::from(request.limit) + 1;
        let rows = match group_id {
            None => self.database.fetch_all(ALL, sql_args![after, rows]).await?,
            Some(group_id) => self.database.fetch_all(OF_GROUP, sql_args![group_id.uuid(), after, rows]).await?,
        };
        let chats = rows.iter().map(queued).collect::<Result<Vec<_>, QueryError>>()?;
        let mut page = Page::cut(chats, request.limit, |last| cursor::encode(&list, last.arrival));
        let queue = page.data.iter().map(|chat| Some((chat.group_id, chat.arrival))).collect::<Vec<_>>();
        let positions = QueuePositions { database: &self.database, queues: Queues::Router, bounds: self.bounds };
        for (chat, position) in page.data.iter_mut().zip(positions.find(&queue).await?) {
            chat.queue_position = position.unwrap_or_default();
        }
        Ok(page)
    }

    /// How many chats wait in each group that has any, how long, and when the router tries again.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn stats(&self, now: Timestamp) -> Result<Vec<QueueStats>, QueryError> {
        const SQL: &str = "SELECT group_id, COUNT(*) AS waiting, MIN(since_us) AS longest, MIN(next_attempt_us) AS next_attempt \
             FROM routing_queue GROUP BY group_id ORDER BY group_id";
        let rows = self.database.fetch_all(SQL, vec![]).await?;
        let stats = |row: &Row| {
            let longest = now.since(Timestamp::from_micros(row.int("longest")?)).as_secs();
            Ok(QueueStats {
                group_id: GroupId::from_uuid(row.uuid("group_id")?),
                waiting: row.int("waiting")?,
                longest_wait_seconds: longest,
                next_attempt_at: row.opt_int("next_attempt")?.map(Timestamp::from_micros),
            })
        };
        rows.iter().map(stats).collect()
    }
}

/// Statistics of a group's queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueueStats {
    /// The group that owns the queue.
    pub group_id: GroupId,
    /// The number of waiting chats.
    pub waiting: i64,
    /// The time for which the first chat has waited, in seconds.
    pub longest_wait_seconds: u64,
    /// The time of the router's next attempt for a chat whose assignment failed; other chats wait for a change.
    pub next_attempt_at: Option<Timestamp>,
}

fn queued(row: &Row) -> Result<QueuedChat, QueryError> {
    let (conversation_id, chat) = waiting_chat(row)?;
    Ok(QueuedChat {
        conversation_id,
        group_id: chat.group_id,
        queue_position: 0,
        waiting_since: chat.since,
        attempts: chat.attempts,
        next_attempt_at: chat.next_attempt_at,
        last_error: row.opt_text("last_error")?,
        arrival: chat.arrival,
    })
}
