use application::ports::Position;
use domain::conversation::Participant;
use domain::ids::EntityId as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How far somebody has read a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeenUpTo {
    /// Whether a visitor or an agent reads.
    #[serde(rename = "type")]
    pub kind: ReaderKind,
    /// The visitor's or the agent's id.
    #[cfg_attr(feature = "schema", schemars(with = "domain::schema::Id"))]
    pub id: Uuid,
    /// The position of the last message that the reader has seen.
    pub position: Position,
}

/// The sides of a conversation, as its readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReaderKind {
    /// The person who asks.
    Visitor,
    /// A person who answers.
    Agent,
}

impl From<Participant> for SeenUpTo {
    /// A reader that has read nothing yet.
    fn from(participant: Participant) -> Self {
        let (kind, id) = match participant {
            Participant::Visitor(id) => (ReaderKind::Visitor, id.uuid()),
            Participant::Agent(id) => (ReaderKind::Agent, id.uuid()),
        };
        Self { kind, id, position: 0 }
    }
}
