use application::ports::{Position, Sequence};
use domain::conversation::ConversationStatus;
use domain::ids::{AgentId, ConversationId, GroupId, TagId, ThreadId, VisitorId};
use domain::time::Timestamp;
use serde::Serialize;

use super::{ConversationRow, SeenUpTo};

/// A conversation: everything between a visitor and the agents about one matter.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConversationView {
    /// A UUID, assigned when the conversation begins.
    pub id: ConversationId,
    /// Whether the conversation waits, is served or has ended.
    pub status: ConversationStatus,
    /// The visitor of the conversation.
    pub visitor: VisitorView,
    /// The group that serves the conversation.
    pub group_id: GroupId,
    /// The agent who serves the conversation now.
    pub assigned_agent_id: Option<AgentId>,
    /// The thread that accepts messages; null while the conversation is closed.
    pub active_thread_id: Option<ThreadId>,
    /// The ids of all threads, oldest first.
    pub thread_ids: Vec<ThreadId>,
    /// The ids of the conversation's tags.
    pub tag_ids: Vec<TagId>,
    /// The position in the group's queue, from 1, while the conversation waits.
    pub queue_position: Option<i64>,
    /// The time of the last message.
    pub last_message_at: Option<Timestamp>,
    /// The time at which the conversation began.
    pub created_at: Timestamp,
    /// The time at which the conversation was closed, unless it was reopened.
    pub closed_at: Option<Timestamp>,
    /// The version, which grows with every change.
    pub version: Sequence,
    /// The agent who serves the conversation or served it last, also while it waits or is closed.
    pub last_agent_id: Option<AgentId>,
    /// How far the visitor and the agents have read; those who have left no mark are absent.
    pub seen_up_to: Vec<SeenUpTo>,
    /// The position of the last event that changed what is shown here, messages included.
    pub position: Position,
    /// The visitor's messages that no agent has seen.
    #[serde(skip)]
    pub unread_by_agents: i64,
    /// The agents' messages that the visitor has not seen.
    #[serde(skip)]
    pub unread_by_visitor: i64,
    /// Orders the lists.
    #[serde(skip)]
    pub(super) created_position: Position,
    /// Orders waiting conversations by the length of their wait.
    #[serde(skip)]
    pub(super) waiting_position: Option<Position>,
    /// Orders the queue.
    #[serde(skip)]
    pub(super) queue_arrival: Option<Position>,
}

/// A visitor as they introduced themselves when the chat began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Visitor"))]
pub struct VisitorView {
    /// A UUID, assigned at the first session.
    pub id: VisitorId,
    /// The visitor's name.
    pub name: Option<String>,
    /// The visitor's e-mail address.
    pub email: Option<String>,
    /// The visitor's telephone number.
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
            seen_up_to: row.seen_up_to,
            position: row.position,
            unread_by_agents: row.unread_by_agents,
            unread_by_visitor: row.unread_by_visitor,
            created_position: row.created_position,
            waiting_position,
            queue_arrival,
        }
    }
}
