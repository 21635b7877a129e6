//! Heartbeats of agents' clients.

use application::presence::GRACE;
use axum::extract::State;
use axum::response::Response;
use domain::agent::AgentStatus;
use domain::time::Timestamp;
use serde::Serialize;

use crate::app::App;
use crate::rest::extract::{Agent, Nothing, Session, Write};
use crate::rest::problem::Problem;
use crate::rest::respond::{Answer, settle_at};
use crate::views::View;

/// What came of a heartbeat.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Beat {
    /// When this session's lease ends, unless another heartbeat comes.
    lease_ends_at: Timestamp,
    /// How long after the end of their last lease an agent who is online becomes away.
    grace_seconds: u64,
    /// The agent's status now.
    status: AgentStatus,
}

/// Each session has a lease of its own: two devices are two, two tabs with the same token are one.
pub async fn heartbeat(
    State(app): State<App>,
    agent: Agent,
    session: Session,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let context = app.bus.context(agent.principal().actor(), write.info.request_id.uuid());
    let heartbeat = app.presence.heartbeat(context, agent.id, session.0).await?;
    settle_at(&app, &write.info, heartbeat.position, &[View::Agents]).await;
    let (lease_ends_at, status) = (heartbeat.lease_ends_at, heartbeat.status);
    let beat = Beat { lease_ends_at, grace_seconds: GRACE.as_secs(), status };
    Ok(Answer::ok(&beat)?.at(heartbeat.position, &write.info).into_response())
}
