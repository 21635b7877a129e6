use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::agent::{AgentStatus, ChatLimit};
use crate::assignment::Verdict;
use crate::ids::ConversationId;

/// An agent as the router knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoutedAgent {
    pub status: AgentStatus,
    pub accepting_chats: bool,
    pub chat_limit: ChatLimit,
    /// The chats that the agent serves.
    pub slots: BTreeSet<ConversationId>,
    /// The position of the last assignment; 0 before the first.
    pub last_assigned: i64,
    /// A deleted agent is no candidate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// Whether an agent can take a chat, with `in_flight` chats already on their way to the agent.
///
/// # Errors
/// Why the agent cannot.
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
