use super::details::VisitorDetails;
use super::erasure::ErasedPayload;
use crate::ids::{AgentId, ConversationId};
use crate::time::Timestamp;

/// What a visitor can be told to do.
#[derive(Clone, Debug)]
pub enum VisitorCommand {
    /// Introduce themselves, or add to what is known, also to their open chat, which may not know it yet.
    Introduce {
        /// What they say; what it leaves out stays.
        details: VisitorDetails,
        /// When.
        at: Timestamp,
    },
    /// Have this conversation open.
    OpenChat {
        /// The conversation.
        conversation_id: ConversationId,
        /// When.
        at: Timestamp,
    },
    /// Have this conversation open no more.
    EndChat {
        /// The conversation.
        conversation_id: ConversationId,
        /// The agent who served it at the end.
        last_agent_id: Option<AgentId>,
        /// When.
        at: Timestamp,
    },
    /// Be forgotten as a person: nothing more is taken from them, and these payloads hold nothing of them any more.
    Erase {
        /// What is left of the payloads that held something; none at first.
        payloads: Vec<ErasedPayload>,
        /// The conversations that they belong to.
        conversation_ids: Vec<ConversationId>,
        /// When.
        at: Timestamp,
    },
}
