//! Tags.

use std::sync::Arc;

use crate::service::rows::Page;
use crate::service::rows::tags::TagView;
use application::tags::{ChangeTag, CreateTag, DeleteTag, TagChanges};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::ids::TagId;
use domain::text::{Color, Name};
use schemars::JsonSchema;
use serde::Deserialize;

use super::paging::{ListQuery, OneQuery};
use crate::rest::extract::{AtLeast, KnownVersion, Nothing, OneId, Query, Write, WriteInfo, double_option};
use crate::rest::problem::Problem;
use crate::rest::respond::Responder;
use crate::rest::values;
use crate::service::{Caller, CallingAgent, Fields, Services, UseCase};

pub async fn list(
    State(services): State<Arc<Services>>,
    agent: CallingAgent,
    Query(query): Query<ListQuery>,
    at_least: AtLeast,
) -> Result<Json<Page<TagView>>, Problem> {
    let (lookup, page) = query.check(agent, &at_least)?;
    Ok(Json(services.directory.list_tags(lookup, &page).await?))
}

pub async fn read(
    State(services): State<Arc<Services>>,
    agent: CallingAgent,
    OneId(id): OneId<TagId>,
    Query(query): Query<OneQuery>,
    at_least: AtLeast,
) -> Result<Json<TagView>, Problem> {
    let lookup = query.check(agent, &at_least)?;
    Ok(Json(services.directory.tag(lookup, id).await?))
}

/// A tag to create.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TagInput")]
pub struct NewTag {
    /// Unique among tags that are not deleted, in upper or lower case.
    #[schemars(with = "values::Name")]
    name: String,
    /// As #RRGGBB.
    #[schemars(with = "Option<values::OptionalColor>")]
    color: Option<String>,
}

pub async fn create(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    write: Write<NewTag>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let name = fields.text("name", &body.name, Name::parse);
    let color = fields.optional("color", body.color.as_deref(), Color::parse);
    let name = fields.finish_with(name)?;
    let principal = caller.principal;
    let create = CreateTag { principal, tag_id: TagId::new(services.dispatch.new_uuid()), name, color };
    let made = async |id| Ok(services.directory.changed_tag(id).await?);
    responder.answer_created(&caller, &info, create, made).await
}

/// Changes of a tag; absent fields stay as they are.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TagChanges")]
pub struct Changes {
    /// Another name.
    #[schemars(with = "Option<values::Name>")]
    name: Option<String>,
    /// Another colour as #RRGGBB, or null for none.
    #[serde(default, deserialize_with = "double_option")]
    #[schemars(with = "Option<values::OptionalColor>")]
    color: Option<Option<String>>,
}

pub async fn change(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(tag_id): OneId<TagId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Changes>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let name = fields.changed("name", body.name.as_deref(), Name::parse);
    let color = body.color.as_ref().map(|color| fields.optional("color", color.as_deref(), Color::parse));
    fields.finish()?;
    let (principal, changes) = (caller.principal, TagChanges { name, color });
    let change = ChangeTag { principal, tag_id, changes, known_version };
    carry_out((&services, &responder), (&caller, tag_id), &info, change).await
}

pub async fn delete(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(tag_id): OneId<TagId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = caller.principal;
    let delete = DeleteTag { principal, tag_id, deleted: true, known_version };
    carry_out((&services, &responder), (&caller, tag_id), &write.info, delete).await
}

pub async fn restore(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(tag_id): OneId<TagId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = caller.principal;
    let restore = DeleteTag { principal, tag_id, deleted: false, known_version };
    carry_out((&services, &responder), (&caller, tag_id), &write.info, restore).await
}

/// Makes a change of a tag and answers with the tag.
async fn carry_out<U: UseCase>(
    (services, responder): (&Services, &Responder),
    (caller, tag_id): (&Caller, TagId),
    info: &WriteInfo,
    use_case: U,
) -> Result<Response, Problem> {
    responder.answer(caller, info, use_case, async |_| Ok(services.directory.changed_tag(tag_id).await?)).await
}
