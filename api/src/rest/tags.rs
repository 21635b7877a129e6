//! Tags.

use application::command_bus::UseCase;
use application::ports::Principal;
use application::tags::{ChangeTag, CreateTag, DeleteTag, TagChanges};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::ids::TagId;
use domain::text::{Color, Name};
use projections::tags::TagView;
use projections::{Deleted, Page};
use schemars::JsonSchema;
use serde::Deserialize;

use super::paging::{self, ListQuery, OneQuery};
use crate::app::App;
use crate::openapi::values;
use crate::rest::extract::{Agent, Fields, KnownVersion, Nothing, OneId, Query, Write, WriteInfo, given};
use crate::rest::problem::Problem;
use crate::rest::respond::{Change, await_position};
use crate::service::reading::deleted;
use crate::views::View;

pub async fn list(
    State(app): State<App>,
    agent: Agent,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Json<Page<TagView>>, Problem> {
    let (deleted, page) = query.check(agent.principal())?;
    await_position(&app, &headers, &[View::Tags]).await?;
    Ok(Json(app.tags.list_tags(deleted, &page).await?))
}

pub async fn read(
    State(app): State<App>,
    agent: Agent,
    OneId(id): OneId<TagId>,
    Query(query): Query<OneQuery>,
    headers: HeaderMap,
) -> Result<Json<TagView>, Problem> {
    let deleted = deleted(agent.principal(), query.include_deleted)?;
    await_position(&app, &headers, &[View::Tags]).await?;
    find(&app, id, deleted).await.map(Json)
}

async fn find(app: &App, id: TagId, deleted: Deleted) -> Result<TagView, Problem> {
    app.tags.find_tag(id, deleted).await?.ok_or_else(|| Problem::not_found("tag"))
}

/// A tag that exists, deleted or not.
async fn made(app: &App, id: TagId) -> Result<TagView, Problem> {
    app.tags.find_tag(id, Deleted::Shown).await?.ok_or_else(Problem::view_behind)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTag {
    /// Unique among tags that are not deleted, in upper or lower case.
    #[schemars(with = "values::Name")]
    name: String,
    /// As #RRGGBB.
    #[schemars(with = "Option<values::Color>")]
    color: Option<String>,
}

pub async fn create(State(app): State<App>, agent: Agent, write: Write<NewTag>) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let name = fields.text("name", &body.name, Name::parse);
    let color = fields.optional("color", body.color.as_deref(), Color::parse);
    let name = fields.finish_with(name)?;
    let principal = agent.principal();
    let create = CreateTag { principal, tag_id: TagId::new(app.bus.new_uuid()), name, color };
    let change = Change { app: &app, principal, info: &info, views: &[View::Tags] };
    change.answer_created(create, async |id| made(&app, id).await).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TagChanges")]
pub struct Changes {
    /// Another name.
    #[schemars(with = "Option<values::Name>")]
    name: Option<String>,
    /// Another colour as #RRGGBB, or null for none.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<values::Color>")]
    color: Option<Option<String>>,
}

pub async fn change(
    State(app): State<App>,
    agent: Agent,
    OneId(tag_id): OneId<TagId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Changes>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let name = fields.optional("name", body.name.as_deref(), Name::parse);
    let color = body.color.as_ref().map(|color| fields.optional("color", color.as_deref(), Color::parse));
    fields.finish()?;
    let (principal, changes) = (agent.principal(), TagChanges { name, color });
    carry_out(&app, principal, tag_id, &info, ChangeTag { principal, tag_id, changes, known_version }).await
}

pub async fn delete(
    State(app): State<App>,
    agent: Agent,
    OneId(tag_id): OneId<TagId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = agent.principal();
    let delete = DeleteTag { principal, tag_id, deleted: true, known_version };
    carry_out(&app, principal, tag_id, &write.info, delete).await
}

pub async fn restore(
    State(app): State<App>,
    agent: Agent,
    OneId(tag_id): OneId<TagId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = agent.principal();
    let restore = DeleteTag { principal, tag_id, deleted: false, known_version };
    carry_out(&app, principal, tag_id, &write.info, restore).await
}

/// Executes a change of a tag and answers with the tag.
async fn carry_out<U: UseCase>(
    app: &App,
    principal: Principal,
    tag_id: TagId,
    info: &WriteInfo,
    use_case: U,
) -> Result<Response, Problem> {
    let change = Change { app, principal, info, views: &[View::Tags] };
    change.answer(use_case, async |_| made(app, tag_id).await).await
}
