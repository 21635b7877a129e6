//! What an agent did lately.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::ids::AgentId;

use crate::rest::extract::{AtLeast, OneId};
use crate::rest::problem::Problem;
use crate::service::{AgentStats, Caller, Services};

/// For the agent and supervisors, with everything that is in the log when they ask.
pub async fn read(
    State(services): State<Arc<Services>>,
    caller: Caller,
    OneId(id): OneId<AgentId>,
    at_least: AtLeast,
) -> Result<Json<AgentStats>, Problem> {
    let figures = services.directory.figures(&caller, id, at_least.position()?).await?;
    Ok(Json(figures.summary()))
}
