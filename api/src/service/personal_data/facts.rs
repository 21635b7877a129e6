use application::UseCaseError;
use application::command_bus::CommandBus;
use application::ports::Position;
use domain::conversation::{Assignment, ConversationEvent, Participant};
use domain::ids::{AgentId, ConversationId, GroupId, TagId};
use domain::tag::Tag;
use domain::text::{Name, Note};
use domain::time::Timestamp;
use domain::visitor::{VisitorDetails, VisitorEvent};
use serde::Serialize;

/// Something that happened to a visitor or to one of their conversations, with what was noted about them at its end. Why
/// agents hand a chat to each other, and how the router came to its choice, is not about the visitor and not in it.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fact {
    position: Position,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    #[serde(flatten)]
    details: VisitorDetails,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Participant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Note>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<ConversationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<AgentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<GroupId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_id: Option<TagId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<Name>,
}

impl Fact {
    fn new(position: Position, kind: &'static str, at: Timestamp) -> Self {
        Self { position, kind, at: Some(at), ..Self::default() }
    }

    pub(super) fn of_visitor(position: Position, event: &VisitorEvent) -> Self {
        match event {
            VisitorEvent::VisitorRegistered { details, at } => {
                Self { details: details.clone(), ..Self::new(position, "registered", *at) }
            }
            VisitorEvent::VisitorReintroduced { details, shown_in: conversation_id, at } => {
                let fact = Self::new(position, "reintroduced", *at);
                Self { details: details.clone(), conversation_id: *conversation_id, ..fact }
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
                let fact = Self::new(position, "assigned", *at);
                Self { agent_id: Some(*agent_id), chosen_by: Some(chosen_by), ..fact }
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
