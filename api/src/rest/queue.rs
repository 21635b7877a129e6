//! The chats that wait.

use axum::Json;
use axum::extract::State;
use domain::ids::GroupId;
use projections::routing::{QueueStats, QueuedChat};
use serde::{Deserialize, Serialize};

use super::paging;
use crate::app::App;
use crate::extract::{Fields, Query};
use crate::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct QueueQuery {
    group_id: Option<String>,
    limit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Queue {
    data: Vec<QueuedChat>,
    next_cursor: Option<String>,
}

/// The chats of one group first come first, or group by group of all.
pub async fn list(State(app): State<App>, Query(query): Query<QueueQuery>) -> Result<Json<Queue>, Problem> {
    let mut fields = Fields::default();
    let group_id = fields.id::<GroupId>("groupId", query.group_id.as_deref());
    let limit = paging::limit(&mut fields, query.limit.as_deref());
    let limit = fields.finish_with(limit)?;
    Ok(Json(Queue { data: app.queue.list_queue(group_id, limit).await?, next_cursor: None }))
}

#[derive(Serialize)]
pub struct Stats {
    data: Vec<QueueStats>,
}

/// How many wait in each group, how long, and when the next attempt is.
pub async fn stats(State(app): State<App>) -> Result<Json<Stats>, Problem> {
    Ok(Json(Stats { data: app.queue.stats(app.clock.now()).await? }))
}
