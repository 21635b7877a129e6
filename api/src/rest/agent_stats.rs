//! What an agent did lately.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::agent::AgentStatus;
use domain::ids::AgentId;
use domain::time::Timestamp;
use projections::agent_stats::{AgentFigures as Figures, Percentiles, Recent};
use serde::Serialize;

use crate::rest::extract::{AtLeast, OneId};
use crate::rest::problem::Problem;
use crate::service::{AgentFigures, Caller, Services};

/// Whether the router gives an agent chats.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    /// Whether they are at work.
    status: AgentStatus,
    /// Whether they take new chats.
    accepting_chats: bool,
    /// How many chats more are within their limit.
    free_slots: i64,
    /// Whether the router would give them a chat now: online, accepting, and with a free slot.
    available: bool,
}

/// An agent in figures. Days are UTC days; what counts as a chat, a first response and a duration is told in
/// [`projections::agent_stats`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentStats {
    agent_id: AgentId,
    /// The time up to which this counts.
    as_of: Timestamp,
    active_chats: i64,
    max_concurrent_chats: i64,
    availability: Availability,
    /// The chats that came to them.
    chats: Recent,
    /// The messages they sent.
    messages_sent: Recent,
    /// How soon they answered, in the chats of the last 30 days that they answered; null without any.
    first_response_seconds: Option<Percentiles>,
    /// How long they served the chats of the last 30 days that they serve no more; null without any.
    chat_duration_seconds: Option<Percentiles>,
    /// Always null: reserved for visitors' ratings, which this version does not collect.
    rating: Option<f64>,
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

/// For the agent and supervisors, with everything that is in the log when they ask.
pub async fn read(
    State(services): State<Arc<Services>>,
    caller: Caller,
    OneId(id): OneId<AgentId>,
    at_least: AtLeast,
) -> Result<Json<AgentStats>, Problem> {
    let figures = services.directory.figures(&caller, id, at_least.position()?).await?;
    Ok(Json(AgentStats::new(figures)))
}
