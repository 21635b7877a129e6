use application::UseCaseError;
use application::command_bus::CommandBus;
use application::ports::{LogEvent, Position};
use domain::conversation::{Assignment, ConversationEvent, Participant};
use domain::event::AnyEvent;
use domain::ids::{AgentId, ConversationId, GroupId, TagId};
use domain::tag::Tag;
use domain::text::{Name, Note};
use domain::thread::ThreadEvent;
use domain::time::Timestamp;
use domain::visitor::{VisitorDetails, VisitorEvent};
use schemars::JsonSchema;
use serde::Serialize;

/// An event of a visitor or of one of their conversations. It includes the notes that agents take at the end of a chat. It
/// does not include why agents transfer a chat or how the router chooses: that is not about the visitor.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Fact")]
pub struct PersonalDataItem {
    /// The position in the log.
    position: Position,
    /// The kind of event: `registered`, `reintroduced`, `shown`, `chat_opened`, `chat_ended`, `personal_data_erased` of
    /// visitors; `started`, `assigned`, `returned_to_queue`, `closed`, `reopened`, `tagged`, `untagged`,
    /// `visitor_introduced` of conversations.
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    kind: &'static str,
    /// The time of the event.
    at: Timestamp,
    #[serde(flatten)]
    details: VisitorDetails,
    /// The visitor or agent who caused the event: `type` is `visitor` or `agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    by: Option<Participant>,
    /// The reason for closing the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    reason: Option<String>,
    /// The notes of the agent who closed the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    notes: Option<Note>,
    /// The conversation of a visitor's event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ConversationId")]
    conversation_id: Option<ConversationId>,
    /// The agent to whom the conversation was assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AgentId")]
    agent_id: Option<AgentId>,
    /// The group of the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "GroupId")]
    group_id: Option<GroupId>,
    /// The chooser of the agent: `router` or `person`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    chosen_by: Option<&'static str>,
    /// The tag that was put on the conversation or removed from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "TagId")]
    tag_id: Option<TagId>,
    /// The tag's name at the time of the export.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    tag: Option<Name>,
}

impl PersonalDataItem {
    fn new(position: Position, kind: &'static str, at: Timestamp) -> Self {
        Self {
            position,
            kind,
            at,
            details: VisitorDetails::default(),
            by: None,
            reason: None,
            notes: None,
            conversation_id: None,
            agent_id: None,
            group_id: None,
            chosen_by: None,
            tag_id: None,
            tag: None,
        }
    }

    pub(super) fn of_visitor(position: Position, event: &VisitorEvent) -> Self {
        match event {
            VisitorEvent::VisitorRegistered { details, at } => {
                Self { details: details.clone(), ..Self::new(position, "registered", *at) }
            }
            VisitorEvent::VisitorReintroduced { details, shown_in: conversation_id, at } => {
                let item = Self::new(position, "reintroduced", *at);
                Self { details: details.clone(), conversation_id: *conversation_id, ..item }
            }
            VisitorEvent::VisitorShown { conversation_id, at } => {
                Self { conversation_id: Some(*conversation_id), ..Self::new(position, "shown", *at) }
            }
            VisitorEvent::ChatOpened { conversation_id, at } => {
                Self { conversation_id: Some(*conversation_id), ..Self::new(position, "chat_opened", *at) }
            }
            VisitorEvent::ChatEnded { conversation_id, at, .. } => {
                Self { conversation_id: Some(*conversation_id), ..Self::new(position, "chat_ended", *at) }
            }
            VisitorEvent::PersonalDataErased { at, .. } => Self::new(position, "personal_data_erased", *at),
        }
    }

    pub(super) async fn of_conversation(
        position: Position,
        event: &ConversationEvent,
        bus: &CommandBus,
    ) -> Result<Self, UseCaseError> {
        Ok(match event {
            ConversationEvent::ChatStarted { visitor, group_id, at, .. } => {
                let details = visitor.details();
                Self { details, group_id: Some(*group_id), ..Self::new(position, "started", *at) }
            }
            ConversationEvent::AgentAssigned { agent_id, assignment, at, .. } => {
                let chosen_by = match assignment {
                    Assignment::Routed { .. } => "router",
                    Assignment::Manual { .. } => "person",
                };
                let item = Self::new(position, "assigned", *at);
                Self { agent_id: Some(*agent_id), chosen_by: Some(chosen_by), ..item }
            }
            ConversationEvent::ChatReturnedToQueue { group_id, at, .. } => {
                Self { group_id: Some(*group_id), ..Self::new(position, "returned_to_queue", *at) }
            }
            ConversationEvent::ChatClosed { by, reason, notes, at, .. } => {
                let reason = Some(reason.as_str().to_owned());
                Self { by: Some(*by), reason, notes: notes.clone(), ..Self::new(position, "closed", *at) }
            }
            ConversationEvent::VisitorCardChanged { visitor, at } => {
                let details = visitor.details();
                Self { details, ..Self::new(position, "visitor_introduced", *at) }
            }
            ConversationEvent::ChatReopened { by, group_id, at, .. } => {
                Self { by: Some(*by), group_id: Some(*group_id), ..Self::new(position, "reopened", *at) }
            }
            ConversationEvent::ChatTagged { tag_id, at, .. } => {
                Self::new(position, "tagged", *at).with_tag(*tag_id, bus).await?
            }
            ConversationEvent::ChatUntagged { tag_id, at, .. } => {
                Self::new(position, "untagged", *at).with_tag(*tag_id, bus).await?
            }
        })
    }

    async fn with_tag(self, tag_id: TagId, bus: &CommandBus) -> Result<Self, UseCaseError> {
        let tag = bus.peek::<Tag>(tag_id).await?.name.clone();
        Ok(Self { tag_id: Some(tag_id), tag, ..self })
    }
}

/// How far the visitor had read, and when.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReadingFact")]
pub struct ReadingItem {
    /// The position in the log.
    position: Position,
    /// The position of the last message that the visitor had seen.
    up_to: Position,
    /// The time of the event.
    at: Timestamp,
}

impl ReadingItem {
    /// The mark of a visitor that an event is.
    pub(super) fn of(event: &LogEvent) -> Option<Self> {
        let AnyEvent::Thread(ThreadEvent::MessagesRead { reader: Participant::Visitor(_), up_to, at, .. }) =
            event.event
        else {
            return None;
        };
        Some(Self { position: event.header.position, up_to, at })
    }
}
