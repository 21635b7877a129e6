use serde::{Deserialize, Serialize};

use super::details::VisitorDetails;
use super::erasure::ErasedPayload;
use crate::aggregate::events;
use crate::ids::{AgentId, ConversationId};
use crate::time::Timestamp;

/// What happens to a visitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum VisitorEvent {
    /// Somebody came for the first time.
    VisitorRegistered {
        /// How they introduced themselves.
        details: VisitorDetails,
        /// When.
        at: Timestamp,
    },
    /// They introduced themselves differently.
    VisitorReintroduced {
        /// All that is known now.
        details: VisitorDetails,
        /// Their open chat, which shows it from now on; early events left it as it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown_in: Option<ConversationId>,
        /// When.
        at: Timestamp,
    },
    /// Their open chat, which did not know it, shows how they have introduced themselves last.
    VisitorShown {
        /// The chat.
        conversation_id: ConversationId,
        /// When.
        at: Timestamp,
    },
    /// They have an open conversation.
    ChatOpened {
        /// The conversation.
        conversation_id: ConversationId,
        /// When.
        at: Timestamp,
    },
    /// They have no open conversation.
    ChatEnded {
        /// The conversation they had.
        conversation_id: ConversationId,
        /// The agent who served it at the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_agent_id: Option<AgentId>,
        /// When.
        at: Timestamp,
    },
    /// Their personal data was taken out of the log: out of these payloads, and those of earlier such events.
    PersonalDataErased {
        /// What is left of the payloads that held something. It vouches for them: their salts are gone.
        payloads: Vec<ErasedPayload>,
        /// The conversations that they belong to.
        conversation_ids: Vec<ConversationId>,
        /// When.
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
