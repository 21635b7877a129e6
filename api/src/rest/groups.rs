//! Groups and their members.

use std::collections::BTreeSet;

use application::command_bus::UseCase;
use application::groups::{AddMembers, ChangeGroup, CreateGroup, DeleteGroup, GroupChanges, RemoveMember};
use application::ports::Principal;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::ids::{AgentId, GroupId};
use domain::routing::RoutingStrategy;
use domain::text::{Name, Note};
use projections::agents::GroupView;
use projections::{Deleted, Page};
use schemars::JsonSchema;
use serde::Deserialize;

use super::paging::{self, ListQuery, OneQuery};
use crate::app::App;
use crate::openapi::values;
use crate::rest::extract::{Agent, Fields, KnownVersion, Nothing, OneId, Query, TwoIds, Write, WriteInfo, given};
use crate::rest::problem::Problem;
use crate::rest::respond::{Change, await_position};
use crate::service::reading::deleted;
use crate::views::View;

const STRATEGIES: &str = "round_robin, least_loaded, sticky";

/// The most agents in one request.
const MAX_MEMBERS: usize = 500;

pub async fn list(
    State(app): State<App>,
    agent: Agent,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Json<Page<GroupView>>, Problem> {
    let (deleted, page) = query.check(agent.principal())?;
    await_position(&app, &headers, &[View::Agents]).await?;
    Ok(Json(app.agents.list_groups(deleted, &page).await?))
}

pub async fn read(
    State(app): State<App>,
    agent: Agent,
    OneId(id): OneId<GroupId>,
    Query(query): Query<OneQuery>,
    headers: HeaderMap,
) -> Result<Json<GroupView>, Problem> {
    let deleted = deleted(agent.principal(), query.include_deleted)?;
    await_position(&app, &headers, &[View::Agents]).await?;
    find(&app, id, deleted).await.map(Json)
}

async fn find(app: &App, id: GroupId, deleted: Deleted) -> Result<GroupView, Problem> {
    app.agents.find_group(id, deleted).await?.ok_or_else(|| Problem::not_found("group"))
}

/// A group that exists, deleted or not.
async fn made(app: &App, id: GroupId) -> Result<GroupView, Problem> {
    app.agents.find_group(id, Deleted::Shown).await?.ok_or_else(Problem::view_behind)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewGroup {
    #[schemars(with = "values::Name")]
    name: String,
    /// What it is for.
    #[schemars(with = "Option<values::Note>")]
    description: Option<String>,
    /// How its chats find their agents; `least_loaded` when absent.
    #[schemars(with = "Option<values::RoutingStrategyName>")]
    routing_strategy: Option<String>,
    /// Whether it takes the place of the default group.
    is_default: Option<bool>,
}

pub async fn create(State(app): State<App>, agent: Agent, write: Write<NewGroup>) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let name = fields.text("name", &body.name, Name::parse);
    let description = fields.optional("description", body.description.as_deref(), Note::parse);
    let strategy = body.routing_strategy.as_deref();
    let strategy = strategy.and_then(|text| fields.word("routingStrategy", text, RoutingStrategy::parse, STRATEGIES));
    let name = fields.finish_with(name)?;
    let principal = agent.principal();
    let group_id = GroupId::new(app.bus.new_uuid());
    let (strategy, make_default) = (strategy.unwrap_or_default(), body.is_default.unwrap_or(false));
    let create = CreateGroup { principal, group_id, name, description, strategy, make_default };
    let change = Change { app: &app, principal, info: &info, views: &[View::Agents] };
    change.answer_created(create, async |id| made(&app, id).await).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "GroupChanges")]
pub struct Changes {
    /// Another name.
    #[schemars(with = "Option<values::Name>")]
    name: Option<String>,
    /// Another description, or null for none.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<values::Note>")]
    description: Option<Option<String>>,
    /// How its chats find their agents from now on.
    #[schemars(with = "Option<values::RoutingStrategyName>")]
    routing_strategy: Option<String>,
    /// True makes it the default group instead of the one that is.
    is_default: Option<bool>,
}

pub async fn change(
    State(app): State<App>,
    agent: Agent,
    OneId(group_id): OneId<GroupId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Changes>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let description = body.description.as_ref();
    let strategy = body.routing_strategy.as_deref();
    let changes = GroupChanges {
        name: fields.optional("name", body.name.as_deref(), Name::parse),
        description: description.map(|text| fields.optional("description", text.as_deref(), Note::parse)),
        strategy: strategy.and_then(|text| fields.word("routingStrategy", text, RoutingStrategy::parse, STRATEGIES)),
        is_default: body.is_default,
    };
    fields.finish()?;
    let principal = agent.principal();
    carry_out(&app, principal, group_id, &info, ChangeGroup { principal, group_id, changes, known_version }).await
}

pub async fn delete(
    State(app): State<App>,
    agent: Agent,
    OneId(group_id): OneId<GroupId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = agent.principal();
    let delete = DeleteGroup { principal, group_id, deleted: true, known_version };
    carry_out(&app, principal, group_id, &write.info, delete).await
}

pub async fn restore(
    State(app): State<App>,
    agent: Agent,
    OneId(group_id): OneId<GroupId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = agent.principal();
    let restore = DeleteGroup { principal, group_id, deleted: false, known_version };
    carry_out(&app, principal, group_id, &write.info, restore).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Members {
    /// Who joins the group.
    #[schemars(with = "Vec<values::Id>", length(max = MAX_MEMBERS))]
    agent_ids: Vec<String>,
}

pub async fn add_agents(
    State(app): State<App>,
    agent: Agent,
    OneId(group_id): OneId<GroupId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Members>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    if body.agent_ids.len() > MAX_MEMBERS {
        fields.refuse::<()>("agentIds", format!("must be at most {MAX_MEMBERS} ids"));
    }
    let ids = body.agent_ids.iter().enumerate();
    let agent_ids: BTreeSet<AgentId> =
        ids.filter_map(|(place, id)| fields.id(&format!("agentIds[{place}]"), Some(id))).collect();
    fields.finish()?;
    let principal = agent.principal();
    carry_out(&app, principal, group_id, &info, AddMembers { principal, group_id, agent_ids, known_version }).await
}

pub async fn remove_agent(
    State(app): State<App>,
    agent: Agent,
    TwoIds(group_id, agent_id): TwoIds<GroupId, AgentId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = agent.principal();
    let remove = RemoveMember { principal, group_id, agent_id, known_version };
    remove.prepare(&app.bus, &principal.actor(), write.info.request_id.uuid()).await?;
    carry_out(&app, principal, group_id, &write.info, remove).await
}

/// Carries a change of a group out and answers with the group.
async fn carry_out<U: UseCase>(
    app: &App,
    principal: Principal,
    group_id: GroupId,
    info: &WriteInfo,
    use_case: U,
) -> Result<Response, Problem> {
    let views = [View::Agents, View::Conversations, View::ThreadEvents];
    Change { app, principal, info, views: &views }.answer(use_case, async |_| made(app, group_id).await).await
}
