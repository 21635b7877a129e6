//! The chats that wait.

use std::sync::Arc;

use crate::service::rows::Page;
use crate::service::rows::routing::{QueueStats, QueuedChat};
use axum::Json;
use axum::extract::State;
use domain::ids::GroupId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::paging;
use crate::rest::extract::{AtLeast, Query};
use crate::rest::problem::Problem;
use crate::rest::values;
use crate::service::{Caller, Fields, Services};

/// The group and the page of a list of waiting chats.
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
    State(services): State<Arc<Services>>,
    caller: Caller,
    Query(query): Query<QueueQuery>,
    at_least: AtLeast,
) -> Result<Json<Page<QueuedChat>>, Problem> {
    let mut fields = Fields::default();
    let group_id = fields.id::<GroupId>("groupId", query.group_id.as_deref());
    let limit = paging::limit(&mut fields, query.limit.as_deref());
    let page = paging::page(fields, limit, query.cursor)?;
    Ok(Json(services.queue.list(&caller, at_least.position()?, group_id, &page).await?))
}

/// A list with a single page.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ListOfQueueStats")]
pub struct Stats {
    /// The items.
    data: Vec<QueueStats>,
}

/// How many wait in each group, how long, and when the next attempt is.
pub async fn stats(
    State(services): State<Arc<Services>>,
    caller: Caller,
    at_least: AtLeast,
) -> Result<Json<Stats>, Problem> {
    Ok(Json(Stats { data: services.queue.stats(&caller, at_least.position()?).await? }))
}
