//! The objects of the schema. They are read from the form that every door shows, so that no two doors show different
//! things.

mod agents;
mod assignments;
mod audit;
mod conversations;
mod directory;
mod enums;
mod events;
mod queue;
mod scalars;
mod sessions;
mod siblings;

use std::sync::Arc;

use async_graphql::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::errors::error_of;
use crate::service::Refusal;
use crate::service::reading::NamedConversation;
pub use agents::{Agent, AgentStats};
pub use assignments::AssignmentRecord;
pub use audit::AuditEvent;
pub use conversations::{Conversation, ConversationCounts};
pub use directory::{Group, Tag};
pub use enums::{
    ActivityState, AgentStatus, AuditOrder, AuthorType, ConversationOrder, ConversationStatus, QueueReason, ReaderType,
    Role, RoutingStrategy, SystemType, ThreadEventType, Verdict,
};
pub use events::ThreadEvent;
pub use queue::{QueueStats, QueuedChat};
pub use scalars::{DateTime, Position};
pub use sessions::{AgentSession, AgentSummary, Erasure, Heartbeat, VisitorSession};
pub(super) use siblings::Siblings;

/// A conversation that may ask for more together with its siblings.
///
/// # Errors
/// As of [`shown`].
pub(super) fn shown_conversation(
    conversation: &NamedConversation,
    siblings: &Arc<Siblings>,
) -> Result<Conversation, Error> {
    Ok(Conversation { siblings: Arc::clone(siblings), ..shown(conversation)? })
}

/// An object as all doors show it.
///
/// # Errors
/// [`crate::service::Code::Internal`] when the schema does not fit it.
pub(super) fn shown<T: DeserializeOwned>(row: &impl Serialize) -> Result<T, Error> {
    let value = serde_json::to_value(row).and_then(serde_json::from_value);
    value.map_err(|error| error_of(&Refusal::internal(&error)))
}
