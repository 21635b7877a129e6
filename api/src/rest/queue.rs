//! The chats that wait.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::ids::GroupId;
use projections::Page;
use projections::routing::{QueueStats, QueuedChat};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::paging;
use crate::app::App;
use crate::openapi::values;
use crate::rest::extract::{AuthenticatedAt, Fields, Query};
use crate::rest::problem::Problem;
use crate::rest::respond::await_head;
use crate::views::View;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct QueueQuery {
    /// Only the chats of this group.
    #[schemars(with = "Option<values::Id>")]
    group_id: Option<String>,
    /// The most chats.
    #[schemars(with = "Option<values::Limit>")]
    limit: Option<String>,
    /// The `nextCursor` of the page before, of the same group.
    #[schemars(with = "Option<values::Cursor>")]
    cursor: Option<String>,
}

/// The chats that wait, of one group or of all, first come first.
pub async fn list(
    State(app): State<App>,
    AuthenticatedAt(as_of): AuthenticatedAt,
    Query(query): Query<QueueQuery>,
    headers: HeaderMap,
) -> Result<Json<Page<QueuedChat>>, Problem> {
    let mut fields = Fields::default();
    let group_id = fields.id::<GroupId>("groupId", query.group_id.as_deref());
    let limit = paging::limit(&mut fields, query.limit.as_deref());
    let page = paging::page(fields, limit, query.cursor)?;
    await_head(&app, &headers, &[View::Queue], as_of).await?;
    Ok(Json(app.queue.list_queue(group_id, &page).await?))
}

#[derive(Serialize)]
pub struct Stats {
    data: Vec<QueueStats>,
}

/// How many wait in each group, how long, and when the next attempt is.
pub async fn stats(
    State(app): State<App>,
    AuthenticatedAt(as_of): AuthenticatedAt,
    headers: HeaderMap,
) -> Result<Json<Stats>, Problem> {
    await_head(&app, &headers, &[View::Queue], as_of).await?;
    Ok(Json(Stats { data: app.queue.stats(app.clock.now()).await? }))
}
