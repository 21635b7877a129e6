//! Heartbeats of agents' clients.

use std::sync::Arc;

use application::presence::GRACE;
use axum::extract::State;
use axum::response::Response;
use domain::agent::AgentStatus;
use domain::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::rest::extract::{Nothing, Write};
use crate::rest::problem::Problem;
use crate::rest::respond::Answer;
use crate::service::{Caller, Services};

/// The answer to a heartbeat.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Heartbeat")]
pub struct Beat {
    /// The time at which the session's lease ends without another heartbeat.
    lease_ends_at: Timestamp,
    /// The seconds after the end of the agent's last lease until an online agent becomes away.
    grace_seconds: u64,
    /// The agent's presence now.
    status: AgentStatus,
}

/// Each session has a lease of its own: two devices are two, two tabs with the same token are one.
pub async fn heartbeat(
    State(services): State<Arc<Services>>,
    caller: Caller,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let (agent, session) = caller.agent_session()?;
    // Each heartbeat counts, whatever its key.
    let request = write.info.request(&caller).once();
    let context = services.dispatch.context(&caller, &request);
    let heartbeat = services.presence.heartbeat(context, agent.id, session).await?;
    let (heartbeat, done) = services.dispatch.settle(heartbeat, request.wait).await.split();
    let (lease_ends_at, status) = (heartbeat.lease_ends_at, heartbeat.status);
    let beat = Beat { lease_ends_at, grace_seconds: GRACE.as_secs(), status };
    Ok(Answer::ok(&beat)?.of(&done, &write.info).into_response())
}
