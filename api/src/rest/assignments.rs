//! The history of a conversation's assignments.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::ids::ConversationId;
use projections::Page;
use schemars::JsonSchema;
use serde::Deserialize;

use super::paging;
use crate::app::App;
use crate::openapi::values;
use crate::rest::extract::{Agent, AuthenticatedAt, Fields, OneId, Query};
use crate::rest::problem::Problem;
use crate::rest::respond::await_position_as_of;
use crate::service::reading::AssignmentView;
use crate::views::View;

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

pub async fn list(
    State(app): State<App>,
    agent: Agent,
    AuthenticatedAt(as_of): AuthenticatedAt,
    OneId(id): OneId<ConversationId>,
    Query(query): Query<AssignmentQuery>,
    headers: HeaderMap,
) -> Result<Json<Page<AssignmentView>>, Problem> {
    let mut fields = Fields::default();
    let limit = paging::limit(&mut fields, query.limit.as_deref());
    let after = paging::number(&mut fields, "cursor", query.cursor.as_deref(), "must be the nextCursor of a page");
    let limit = fields.finish_with(limit)?;
    let as_of = await_position_as_of(&app, &headers, &[View::Conversations], as_of).await?;
    let page = app.reading.list_assignments(agent.principal(), id, (after.unwrap_or(0), limit), as_of).await?;
    Ok(Json(page))
}
