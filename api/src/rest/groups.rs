//! Groups and their members.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::service::rows::Page;
use crate::service::rows::agents::GroupView;
use application::groups::{AddMembers, ChangeGroup, CreateGroup, DeleteGroup, GroupChanges, RemoveMember};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::ids::{AgentId, GroupId};
use domain::routing::RoutingStrategy;
use domain::text::{Name, Note};
use schemars::JsonSchema;
use serde::Deserialize;

use super::paging::{ListQuery, OneQuery};
use crate::rest::extract::{AtLeast, KnownVersion, Nothing, OneId, Query, TwoIds, Write, WriteInfo, double_option};
use crate::rest::problem::Problem;
use crate::rest::respond::Responder;
use crate::rest::values;
use crate::service::{Caller, CallingAgent, Fields, MAX_MEMBERS, Services, UseCase};

const STRATEGIES: &str = "round_robin, least_loaded, sticky";

pub async fn list(
    State(services): State<Arc<Services>>,
    agent: CallingAgent,
    Query(query): Query<ListQuery>,
    at_least: AtLeast,
) -> Result<Json<Page<GroupView>>, Problem> {
    let (lookup, page) = query.check(agent, &at_least)?;
    Ok(Json(services.directory.list_groups(lookup, &page).await?))
}

pub async fn read(
    State(services): State<Arc<Services>>,
    agent: CallingAgent,
    OneId(id): OneId<GroupId>,
    Query(query): Query<OneQuery>,
    at_least: AtLeast,
) -> Result<Json<GroupView>, Problem> {
    let lookup = query.check(agent, &at_least)?;
    Ok(Json(services.directory.group(lookup, id).await?))
}

/// A group to create.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "GroupInput")]
pub struct NewGroup {
    #[schemars(with = "values::Name")]
    name: String,
    /// The purpose, for agents and supervisors.
    #[schemars(with = "Option<values::OptionalNote>")]
    description: Option<String>,
    /// How its chats find their agents; `least_loaded` when absent.
    #[schemars(with = "Option<values::RoutingStrategyName>")]
    routing_strategy: Option<String>,
    /// Whether it takes the place of the default group.
    is_default: Option<bool>,
}

pub async fn create(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    write: Write<NewGroup>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let name = fields.text("name", &body.name, Name::parse);
    let description = fields.optional("description", body.description.as_deref(), Note::parse);
    let strategy = body.routing_strategy.as_deref();
    let strategy = fields.optional_word("routingStrategy", strategy, RoutingStrategy::parse, STRATEGIES);
    let name = fields.finish_with(name)?;
    let principal = caller.principal;
    let group_id = GroupId::new(services.dispatch.new_uuid());
    let (strategy, make_default) = (strategy.unwrap_or_default(), body.is_default.unwrap_or(false));
    let create = CreateGroup { principal, group_id, name, description, strategy, make_default };
    let made = async |id| Ok(services.directory.changed_group(id).await?);
    responder.answer_created(&caller, &info, create, made).await
}

/// Changes of a group; absent fields stay as they are.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "GroupChanges")]
pub struct Changes {
    /// Another name.
    #[schemars(with = "Option<values::Name>")]
    name: Option<String>,
    /// Another description, or null for none.
    #[serde(default, deserialize_with = "double_option")]
    #[schemars(with = "Option<values::OptionalNote>")]
    description: Option<Option<String>>,
    /// How its chats find their agents from now on.
    #[schemars(with = "Option<values::RoutingStrategyName>")]
    routing_strategy: Option<String>,
    /// True makes it the default group instead of the one that is.
    is_default: Option<bool>,
}

pub async fn change(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(group_id): OneId<GroupId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Changes>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let description = body.description.as_ref();
    let strategy = body.routing_strategy.as_deref();
    let wanted = GroupChanges {
        name: fields.changed("name", body.name.as_deref(), Name::parse),
        description: description.map(|text| fields.optional("description", text.as_deref(), Note::parse)),
        strategy: fields.optional_word("routingStrategy", strategy, RoutingStrategy::parse, STRATEGIES),
        is_default: body.is_default,
    };
    fields.finish()?;
    let principal = caller.principal;
    let change = ChangeGroup { principal, group_id, changes: wanted, known_version };
    carry_out((&services, &responder), (&caller, group_id), &info, change).await
}

pub async fn delete(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(group_id): OneId<GroupId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = caller.principal;
    let delete = DeleteGroup { principal, group_id, deleted: true, known_version };
    carry_out((&services, &responder), (&caller, group_id), &write.info, delete).await
}

pub async fn restore(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(group_id): OneId<GroupId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = caller.principal;
    let restore = DeleteGroup { principal, group_id, deleted: false, known_version };
    carry_out((&services, &responder), (&caller, group_id), &write.info, restore).await
}

/// Agents for a group.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Members {
    /// The agents that join the group.
    #[schemars(with = "Vec<values::Id>", length(max = MAX_MEMBERS))]
    agent_ids: Vec<String>,
}

pub async fn add_agents(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
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
    let principal = caller.principal;
    let add = AddMembers { principal, group_id, agent_ids, known_version };
    carry_out((&services, &responder), (&caller, group_id), &info, add).await
}

pub async fn remove_agent(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    TwoIds(group_id, agent_id): TwoIds<GroupId, AgentId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = caller.principal;
    let remove = RemoveMember { principal, group_id, agent_id, known_version };
    let execute = async |context| Ok(services.memberships.remove(context, remove).await?);
    let changed = async |()| Ok(services.directory.changed_group(group_id).await?);
    responder.answer_executed(&caller, &write.info, execute, changed).await
}

/// Makes a change of a group and answers with the group.
async fn carry_out<U: UseCase>(
    (services, responder): (&Services, &Responder),
    (caller, group_id): (&Caller, GroupId),
    info: &WriteInfo,
    use_case: U,
) -> Result<Response, Problem> {
    responder.answer(caller, info, use_case, async |_| Ok(services.directory.changed_group(group_id).await?)).await
}
