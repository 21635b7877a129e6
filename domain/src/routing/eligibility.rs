use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::agent::{AgentStatus, ChatLimit};
use crate::assignment::Verdict;
use crate::ids::ConversationId;

/// An agent as the router knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoutedAgent {
    /// Whether they are at work.
    pub status: AgentStatus,
    /// Whether they take new chats.
    pub accepting_chats: bool,
    /// How many chats at once.
    pub chat_limit: ChatLimit,
    /// The chats they serve.
    pub slots: BTreeSet<ConversationId>,
    /// The position of their last assignment; 0 when there was none.
    pub last_assigned: i64,
    /// Whether they were deleted; nobody looks at them then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// Whether an agent can take a chat, counting `in_flight` chats that are just being handed over to them.
///
/// # Errors
/// The reason why not.
pub fn judge(agent: &RoutedAgent, in_flight: usize) -> Result<(), Verdict> {
    match agent.status {
        AgentStatus::Offline => return Err(Verdict::Offline),
        AgentStatus::Away => return Err(Verdict::Away),
        AgentStatus::Online => {}
    }
    if !agent.accepting_chats {
        return Err(Verdict::NotAccepting);
    }
    if agent.slots.len() + in_flight >= agent.chat_limit.get() {
        return Err(Verdict::AtLimit);
    }
    Ok(())
}
