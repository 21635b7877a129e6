//! The history of a conversation's assignments.

use std::sync::Arc;

use crate::service::rows::Page;
use axum::Json;
use axum::extract::State;
use domain::ids::ConversationId;
use schemars::JsonSchema;
use serde::Deserialize;

use super::paging;
use crate::rest::extract::{AtLeast, OneId, Query};
use crate::rest::problem::Problem;
use crate::rest::values;
use crate::service::reading::AssignmentView;
use crate::service::{Caller, Fields, Services};

/// The page of a conversation's assignments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentQuery {
    /// The most items of the page.
    #[schemars(with = "Option<values::Limit>")]
    limit: Option<String>,
    /// The `nextCursor` of the page before.
    #[schemars(with = "Option<values::NumberedCursor>")]
    cursor: Option<String>,
}

/// Lists every assignment, return and end of a conversation. The cursor is the version of the last one.
pub async fn list(
    State(services): State<Arc<Services>>,
    caller: Caller,
    OneId(id): OneId<ConversationId>,
    Query(query): Query<AssignmentQuery>,
    at_least: AtLeast,
) -> Result<Json<Page<AssignmentView>>, Problem> {
    let mut fields = Fields::default();
    let limit = paging::limit(&mut fields, query.limit.as_deref());
    let after = paging::number(&mut fields, "cursor", query.cursor.as_deref(), "must be the nextCursor of a page");
    let from = (after.unwrap_or(0), fields.finish_with(limit)?);
    Ok(Json(services.conversations.list_assignments(&caller, id, from, at_least.position()?).await?))
}
