use serde::{Deserialize, Serialize};

use super::details::VisitorDetails;
use super::erasure::ErasedPayload;
use crate::aggregate::events;
use crate::ids::{AgentId, ConversationId};
use crate::time::Timestamp;

/// Facts about a visitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum VisitorEvent {
    VisitorRegistered {
        details: VisitorDetails,
        at: Timestamp,
    },
    /// The visitor gave other details than before.
    VisitorReintroduced {
        /// All details known now, not only the changed ones.
        details: VisitorDetails,
        /// The open chat, which shows these details from now on. Early events have none and left the chat as it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown_in: Option<ConversationId>,
        at: Timestamp,
    },
    /// The open chat showed older details and now shows the latest.
    VisitorShown {
        conversation_id: ConversationId,
        at: Timestamp,
    },
    ChatOpened {
        conversation_id: ConversationId,
        at: Timestamp,
    },
    ChatEnded {
        conversation_id: ConversationId,
        /// The agent who served the chat when it ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_agent_id: Option<AgentId>,
        at: Timestamp,
    },
    /// The visitor's personal data is gone from these payloads, and from those of earlier events of this type.
    PersonalDataErased {
        /// The digests of the redacted payloads. With their salts deleted, these digests are what proves them.
        payloads: Vec<ErasedPayload>,
        /// The conversations of these payloads.
        conversation_ids: Vec<ConversationId>,
        at: Timestamp,
    },
}

events!(VisitorEvent {
    VisitorRegistered => "1.0",
    VisitorReintroduced => "1.0",
    VisitorShown => "1.0",
    ChatOpened => "1.0",
    ChatEnded => "1.0",
    PersonalDataErased => "1.0",
});
