//! What an agent did lately, as doors show it.

use domain::agent::AgentStatus;
use domain::ids::AgentId;
use domain::time::Timestamp;
use projections::agent_stats::{AgentFigures as Figures, Percentiles, Recent};
use schemars::JsonSchema;
use serde::Serialize;

use super::AgentFigures;

/// Whether the router assigns chats to an agent.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    /// The agent's presence.
    status: AgentStatus,
    /// Whether the agent accepts new chats.
    accepting_chats: bool,
    /// The number of further chats within the agent's limit.
    #[schemars(with = "u32")]
    free_slots: i64,
    /// Whether the router would assign a chat now: the agent is online, accepts chats and has a free slot.
    available: bool,
}

// `projections::agent_stats` defines chats, first responses and durations.
/// Statistics of an agent. Days are UTC days.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentStats {
    /// The agent whose work is counted.
    agent_id: AgentId,
    /// The time up to which the statistics count.
    as_of: Timestamp,
    /// The number of chats that the agent serves now.
    active_chats: i64,
    /// The most chats that the agent serves at the same time.
    max_concurrent_chats: i64,
    /// Whether the router assigns chats to the agent.
    availability: Availability,
    /// The chats that the agent has joined.
    chats: Recent,
    /// The messages that the agent has sent.
    messages_sent: Recent,
    /// The time from joining a chat to the agent's first message, in the chats of the last 30 days with one; null without
    /// any.
    first_response_seconds: Option<Percentiles>,
    /// The time for which the agent served the chats of the last 30 days that they no longer serve; null without any.
    chat_duration_seconds: Option<Percentiles>,
    /// Always null: reserved for visitors' ratings, which this version does not collect.
    rating: Option<f64>,
}

impl AgentFigures {
    /// The figures with what follows from them.
    #[must_use]
    pub fn summary(self) -> AgentStats {
        AgentStats::new(self)
    }
}

impl AgentStats {
    fn new(AgentFigures { agent, figures, as_of }: AgentFigures) -> Self {
        let Figures { chats, messages_sent, first_response_seconds, chat_duration_seconds } = figures;
        let (active_chats, max_concurrent_chats) = (agent.active_chats, agent.max_concurrent_chats);
        let free_slots = (max_concurrent_chats - active_chats).max(0);
        let (status, accepting_chats) = (agent.status, agent.accepting_chats);
        let available = status == AgentStatus::Online && accepting_chats && free_slots > 0;
        Self {
            agent_id: agent.id,
            as_of,
            active_chats,
            max_concurrent_chats,
            availability: Availability { status, accepting_chats, free_slots, available },
            chats,
            messages_sent,
            first_response_seconds,
            chat_duration_seconds,
            rating: None,
        }
    }
}
