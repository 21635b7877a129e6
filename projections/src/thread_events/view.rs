use application::ports::{LogEvent, Position};
use domain::conversation::Participant;
use domain::event::AnyEvent;
use domain::ids::{ConversationId, EntityId, EventId, ThreadId};
use domain::thread::ThreadEvent;
use domain::time::Timestamp;
use infrastructure::database::{Row, RowError, SqlValue};
use infrastructure::sql_args;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::fact::Fact;
use super::kinds::{AuthorType, SystemType, ThreadEventKind};
use crate::sql::{document, named};

/// A message or a system event.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ThreadEventView {
    /// A UUID; that of a message is what `POST` has returned.
    pub id: EventId,
    /// The position in the log, which orders the thread.
    pub position: Position,
    /// The thread that the event belongs to.
    pub thread_id: ThreadId,
    /// The conversation of the thread.
    #[serde(skip)]
    pub conversation_id: ConversationId,
    /// Whether it is a message or a system event.
    #[serde(rename = "type")]
    pub kind: ThreadEventKind,
    /// The kind of author.
    pub author_type: AuthorType,
    /// The author's id; null for system events.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::schema::Id>"))]
    pub author_id: Option<Uuid>,
    /// The message, or the system event as a sentence.
    pub content: String,
    /// The kind of system event; absent for messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "SystemType"))]
    pub system_type: Option<SystemType>,
    /// The client's own id of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub client_event_id: Option<String>,
    /// The client's metadata of the message, or the facts of the system event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, Value>"))]
    pub metadata: Option<Value>,
    /// The time of the event.
    pub created_at: Timestamp,
}

impl ThreadEventView {
    /// An event of the log as it appears in its thread of this conversation; none of other aggregates' events.
    #[must_use]
    pub fn of(event: &LogEvent, conversation_id: ConversationId) -> Option<Self> {
        let AnyEvent::Thread(thread_event) = &event.event else { return None };
        let ThreadEvent::MessageSent { message_id, author, text, client_event_id, metadata, at, .. } = thread_event
        else {
            return Some(Self::system(event, conversation_id, Fact::of(thread_event)?));
        };
        let (author_type, author_id) = match author {
            Participant::Visitor(id) => (AuthorType::Visitor, id.uuid()),
            Participant::Agent(id) => (AuthorType::Agent, id.uuid()),
        };
        Some(Self {
            id: *message_id,
            position: event.header.position,
            thread_id: ThreadId::from_uuid(event.header.aggregate_id),
            conversation_id,
            kind: ThreadEventKind::Message,
            author_type,
            author_id: Some(author_id),
            content: text.as_str().to_owned(),
            system_type: None,
            client_event_id: client_event_id.as_ref().map(|id| id.as_str().to_owned()),
            metadata: metadata.as_ref().map(|metadata| metadata.as_value().clone()),
            created_at: *at,
        })
    }

    fn system(event: &LogEvent, conversation_id: ConversationId, fact: Fact) -> Self {
        Self {
            id: event.header.event_id,
            position: event.header.position,
            thread_id: ThreadId::from_uuid(event.header.aggregate_id),
            conversation_id,
            kind: ThreadEventKind::System,
            author_type: AuthorType::System,
            author_id: None,
            content: fact.sentence.to_owned(),
            system_type: Some(fact.system_type),
            client_event_id: None,
            metadata: Some(fact.metadata),
            created_at: fact.at,
        }
    }

    pub(super) fn read(row: &Row) -> Result<Self, RowError> {
        let system_type = row.opt_str("system_type")?.map(|_| named(row, "system_type", "a system event"));
        let metadata = row.opt_str("metadata")?.map(|_| document(row, "metadata", "a JSON document"));
        Ok(Self {
            id: EventId::from_uuid(row.uuid("id")?),
            position: row.int("position")?,
            thread_id: ThreadId::from_uuid(row.uuid("thread_id")?),
            conversation_id: ConversationId::from_uuid(row.uuid("conversation_id")?),
            kind: named(row, "kind", "message or system")?,
            author_type: named(row, "author_type", "visitor, agent or system")?,
            author_id: row.opt_uuid("author_id")?,
            content: row.text("content")?,
            system_type: system_type.transpose()?,
            client_event_id: row.opt_text("client_event_id")?,
            metadata: metadata.transpose()?,
            created_at: Timestamp::from_micros(row.int("created_us")?),
        })
    }

    /// One value for each column of [`super::EVENTS_TABLE`].
    pub(super) fn values(self) -> Vec<SqlValue> {
        sql_args![
            self.position,
            self.id.uuid(),
            self.thread_id.uuid(),
            self.conversation_id.uuid(),
            self.kind.as_str(),
            self.author_type.as_str(),
            self.author_id,
            self.content,
            self.system_type.map(SystemType::as_str),
            self.client_event_id,
            self.metadata.map(|metadata| metadata.to_string()),
            self.created_at,
        ]
    }
}
