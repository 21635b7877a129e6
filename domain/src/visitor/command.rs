use super::details::VisitorDetails;
use super::erasure::ErasedPayload;
use crate::ids::{AgentId, ConversationId};
use crate::time::Timestamp;

/// Orders to a visitor.
#[derive(Clone, Debug)]
pub enum VisitorCommand {
    /// Registers the visitor or adds to the known details, and shows them in the open chat if it has older ones.
    Introduce {
        /// Details that are left out keep their known value.
        details: VisitorDetails,
        at: Timestamp,
    },
    /// Refused while another conversation is open.
    OpenChat { conversation_id: ConversationId, at: Timestamp },
    EndChat {
        conversation_id: ConversationId,
        /// The agent who served the chat when it ended.
        last_agent_id: Option<AgentId>,
        at: Timestamp,
    },
    /// Erases the person: the visitor can start nothing more, and these payloads hold none of their data.
    Erase {
        /// The redacted payloads; none in the first command, which only bars the visitor.
        payloads: Vec<ErasedPayload>,
        /// The conversations of these payloads.
        conversation_ids: Vec<ConversationId>,
        at: Timestamp,
    },
}
