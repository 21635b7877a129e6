use application::ports::{Position, Sequence};
use domain::conversation::ConversationStatus;
use domain::ids::{AgentId, ConversationId, GroupId, TagId, ThreadId, VisitorId};
use domain::time::Timestamp;
use serde::Serialize;

use super::ConversationRow;

/// A conversation as clients see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConversationView {
    /// Its id.
    pub id: ConversationId,
    /// Where it stands.
    pub status: ConversationStatus,
    /// Who asks.
    pub visitor: VisitorView,
    /// The group that serves it.
    pub group_id: GroupId,
    /// The agent who serves it now.
    pub assigned_agent_id: Option<AgentId>,
    /// The thread that takes messages; none while it is closed.
    pub active_thread_id: Option<ThreadId>,
    /// All threads, oldest first.
    pub thread_ids: Vec<ThreadId>,
    /// The tags on it.
    pub tag_ids: Vec<TagId>,
    /// Its place in its group's queue, from 1, while it waits.
    pub queue_position: Option<i64>,
    /// When the last message came.
    pub last_message_at: Option<Timestamp>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ended, unless it was opened again.
    pub closed_at: Option<Timestamp>,
    /// The sequence of its last event.
    pub version: Sequence,
    /// The agent who serves it, or served it last.
    pub last_agent_id: Option<AgentId>,
    /// What orders the lists.
    #[serde(skip)]
    pub(super) created_position: Position,
    /// What orders those that wait by the length of their wait.
    #[serde(skip)]
    pub(super) waiting_position: Option<Position>,
    /// What orders the queue.
    #[serde(skip)]
    pub(super) queue_arrival: Option<Position>,
}

/// A visitor as they introduced themselves when the chat began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VisitorView {
    /// Who.
    pub id: VisitorId,
    /// Their name.
    pub name: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their telephone number.
    pub phone: Option<String>,
}

impl From<ConversationRow> for ConversationView {
    fn from(row: ConversationRow) -> Self {
        let (queue_arrival, waiting_position) = (row.queue_arrival(), row.waiting_position());
        Self {
            id: row.id,
            status: row.status,
            visitor: VisitorView {
                id: row.visitor_id,
                name: row.visitor_name,
                email: row.visitor_email,
                phone: row.visitor_phone,
            },
            group_id: row.group_id,
            assigned_agent_id: row.assigned_agent_id,
            active_thread_id: row.active_thread_id,
            thread_ids: row.thread_ids,
            tag_ids: row.tag_ids.into_iter().collect(),
            queue_position: None,
            last_message_at: row.last_message_at,
            created_at: row.created_at,
            closed_at: row.closed_at,
            version: row.version,
            last_agent_id: row.last_agent_id,
            created_position: row.created_position,
            waiting_position,
            queue_arrival,
        }
    }
}
