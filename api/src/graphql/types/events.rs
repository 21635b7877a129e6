use async_graphql::{ID, Json, SimpleObject};
use serde::Deserialize;
use serde_json::Value;

use super::{AuthorType, DateTime, Position, SystemType, ThreadEventType};

/// A message or a system event.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadEvent {
    /// A UUID, the same in every door.
    pub id: ID,
    /// The position in the log, which orders the thread.
    pub position: Option<Position>,
    /// The thread that the event belongs to.
    pub thread_id: ID,
    /// Whether it is a message or a system event.
    pub r#type: ThreadEventType,
    /// The kind of author.
    pub author_type: AuthorType,
    /// The author's id; null for system events.
    pub author_id: Option<ID>,
    /// The name of the agent who wrote the message, which outlasts a deletion.
    pub author_name: Option<String>,
    /// The message, or the system event as a sentence.
    pub content: String,
    /// The kind of system event; null for messages.
    pub system_type: Option<SystemType>,
    /// The client's own id of the message.
    pub client_event_id: Option<String>,
    /// The client's metadata of the message, or the facts of the system event.
    pub metadata: Option<Json<Value>>,
    /// The time of the event.
    pub created_at: DateTime,
}
