//! Agents: registration, lists, availability.

use std::sync::Arc;

use crate::service::rows::Page;
use crate::service::rows::agents::{AgentFilter, AgentView};
use application::agents::{AgentChanges, ChangeAgent, DeleteAgent, SetStatus};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::agent::{AgentStatus, ChatLimit, NewPassword, Registration, Role};
use domain::ids::AgentId;
use domain::text::{AvatarUrl, EmailAddress, Name};
use domain::time::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::paging;
use crate::rest::extract::{AtLeast, KnownVersion, Nothing, OneId, Query, Write, WriteInfo, double_option, integer};
use crate::rest::problem::Problem;
use crate::rest::respond::{Answer, Responder};
use crate::rest::values;
use crate::service::{Caller, CallingAgent, Fields, Refusal, Services, UseCase};

const ROLES: &str = "agent, supervisor, admin";
const STATUSES: &str = "online, away, offline";

/// An agent to register.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "AgentInput")]
pub struct NewAgent {
    #[schemars(with = "values::Name")]
    name: String,
    /// Unique among agents who are not deleted, in upper or lower case.
    #[schemars(with = "values::EmailAddress")]
    email: String,
    #[schemars(with = "values::NewPassword")]
    password: String,
    /// `agent` when absent.
    #[schemars(with = "Option<values::RoleName>")]
    role: Option<String>,
    /// `offline` when absent.
    #[schemars(with = "Option<values::AgentStatusName>")]
    status: Option<String>,
    /// Whether they take new chats; they do when absent.
    accepting_chats: Option<bool>,
    /// The most chats at once.
    #[serde(default, deserialize_with = "integer")]
    #[schemars(with = "Option<values::Chats>")]
    max_concurrent_chats: Option<i64>,
    /// The address of a picture of them.
    #[schemars(with = "Option<values::AvatarUrl>")]
    avatar: Option<String>,
}

impl NewAgent {
    fn check(self, at: Timestamp) -> Result<(Registration, NewPassword), Refusal> {
        let mut fields = Fields::default();
        let name = fields.text("name", &self.name, Name::parse);
        let email = fields.text("email", &self.email, EmailAddress::parse);
        let password = fields.text("password", &self.password, NewPassword::parse);
        let role = match &self.role {
            Some(role) => fields.word("role", role, Role::parse, ROLES),
            None => Some(Role::default()),
        };
        let status = match &self.status {
            Some(status) => fields.word("status", status, AgentStatus::parse, STATUSES),
            None => Some(AgentStatus::default()),
        };
        let chat_limit = match self.max_concurrent_chats {
            Some(chats) => limit(&mut fields, chats),
            None => Some(ChatLimit::default()),
        };
        let avatar = fields.optional("avatar", self.avatar.as_deref(), AvatarUrl::parse);
        let accepting_chats = self.accepting_chats.unwrap_or(true);
        let (Some(name), Some(email), Some(password)) = (name, email, password) else {
            return fields.finish_with(None);
        };
        let (Some(role), Some(status), Some(chat_limit)) = (role, status, chat_limit) else {
            return fields.finish_with(None);
        };
        fields.finish()?;
        Ok((Registration { name, email, avatar, role, status, accepting_chats, chat_limit, at }, password))
    }
}

pub async fn create(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    write: Write<NewAgent>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let (principal, scope) = (caller.principal, caller.principal.actor());
    if let Some(answer) = responder.first_answer(&info, &scope).await? {
        return Ok(answer.into_response());
    }
    let (registration, password) = body.check(services.dispatch.now())?;
    // The answer comes from the read model, so that it is waited for, whatever the client prefers.
    let info = info.waiting();
    let request = info.request(&caller);
    let context = services.dispatch.context(&caller, &request);
    let executed = services.accounts.register(context, principal, registration, &password).await?;
    let (agent_id, done) = services.dispatch.settle(executed, request.wait).await.split();
    let answer = Answer::created(&services.directory.changed_agent(agent_id).await?)?.of(&done, &info);
    responder.finish(&info, &scope, (answer, done.settled)).await
}

pub async fn read(
    State(services): State<Arc<Services>>,
    agent: CallingAgent,
    OneId(id): OneId<AgentId>,
    Query(query): Query<paging::OneQuery>,
    at_least: AtLeast,
) -> Result<Json<AgentView>, Problem> {
    let lookup = query.check(agent, &at_least)?;
    Ok(Json(services.directory.agent(lookup, id).await?))
}

/// The conditions and the page of a list of agents.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AgentQuery {
    /// Only those with this status.
    #[schemars(with = "Option<values::AgentStatusName>")]
    status: Option<String>,
    /// Only those with this role.
    #[schemars(with = "Option<values::RoleName>")]
    role: Option<String>,
    /// Only those of this group.
    #[schemars(with = "Option<values::Id>")]
    group_id: Option<String>,
    /// Only those in whose name or address it occurs, with or without accents, in upper or lower case.
    #[schemars(with = "Option<values::OptionalName>")]
    search: Option<String>,
    /// Shows those who were deleted as well; only for admins.
    include_deleted: Option<bool>,
    /// The most items of the page.
    #[schemars(with = "Option<values::Limit>")]
    limit: Option<String>,
    /// The `nextCursor` of the page before.
    #[schemars(with = "Option<values::Cursor>")]
    cursor: Option<String>,
}

pub async fn list(
    State(services): State<Arc<Services>>,
    agent: CallingAgent,
    Query(query): Query<AgentQuery>,
    at_least: AtLeast,
) -> Result<Json<Page<AgentView>>, Problem> {
    let mut fields = Fields::default();
    let status = fields.optional_word("status", query.status.as_deref(), AgentStatus::parse, STATUSES);
    let role = fields.optional_word("role", query.role.as_deref(), Role::parse, ROLES);
    let group_id = fields.optional_id("groupId", query.group_id.as_deref());
    let search = fields.optional("search", query.search.as_deref(), Name::parse);
    let search = search.map(|search| search.as_str().to_owned());
    let limit = paging::limit(&mut fields, query.limit.as_deref());
    let page = paging::page(fields, limit, query.cursor)?;
    let lookup = paging::lookup(agent, query.include_deleted, &at_least)?;
    let filter = AgentFilter { status, role, group_id, search, ..AgentFilter::default() };
    Ok(Json(services.directory.list_agents(lookup, filter, &page).await?))
}

/// Changes of an agent; absent fields stay as they are.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "AgentChanges")]
pub struct Changes {
    /// Another name.
    #[schemars(with = "Option<values::Name>")]
    name: Option<String>,
    /// Another address to log in with; only admins.
    #[schemars(with = "Option<values::EmailAddress>")]
    email: Option<String>,
    /// Another role; only admins.
    #[schemars(with = "Option<values::RoleName>")]
    role: Option<String>,
    /// Whether they are at work.
    #[schemars(with = "Option<values::AgentStatusName>")]
    status: Option<String>,
    /// Whether they take new chats.
    accepting_chats: Option<bool>,
    /// The most chats at once; only admins.
    #[serde(default, deserialize_with = "integer")]
    #[schemars(with = "Option<values::Chats>")]
    max_concurrent_chats: Option<i64>,
    /// The address of another picture, or null for none.
    #[serde(default, deserialize_with = "double_option")]
    #[schemars(with = "Option<values::AvatarUrl>")]
    avatar: Option<Option<String>>,
}

impl Changes {
    fn check(&self) -> Result<AgentChanges, Refusal> {
        let mut fields = Fields::default();
        let avatar = self.avatar.as_ref().map(|avatar| fields.optional("avatar", avatar.as_deref(), AvatarUrl::parse));
        let status = self.status.as_deref();
        let wanted = AgentChanges {
            name: fields.changed("name", self.name.as_deref(), Name::parse),
            avatar,
            status: fields.optional_word("status", status, AgentStatus::parse, STATUSES),
            accepting_chats: self.accepting_chats,
            email: fields.changed("email", self.email.as_deref(), EmailAddress::parse),
            role: fields.optional_word("role", self.role.as_deref(), Role::parse, ROLES),
            chat_limit: self.max_concurrent_chats.and_then(|chats| limit(&mut fields, chats)),
        };
        fields.finish_with(Some(wanted))
    }
}

pub async fn change(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(agent_id): OneId<AgentId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Changes>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let (principal, wanted) = (caller.principal, body.check()?);
    let change = ChangeAgent { principal, agent_id, changes: wanted, known_version };
    carry_out((&services, &responder), (&caller, agent_id), &info, change).await
}

pub async fn delete(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(agent_id): OneId<AgentId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = caller.principal;
    let delete = DeleteAgent { principal, agent_id, deleted: true, known_version };
    let execute = async |context| Ok(services.accounts.delete(context, delete).await?);
    let changed = async |()| Ok(services.directory.changed_agent(agent_id).await?);
    responder.answer_executed(&caller, &write.info, execute, changed).await
}

pub async fn restore(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(agent_id): OneId<AgentId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = caller.principal;
    let restore = DeleteAgent { principal, agent_id, deleted: false, known_version };
    carry_out((&services, &responder), (&caller, agent_id), &write.info, restore).await
}

/// Makes a change of an agent and answers with the agent.
async fn carry_out<U: UseCase>(
    (services, responder): (&Services, &Responder),
    (caller, agent_id): (&Caller, AgentId),
    info: &WriteInfo,
    use_case: U,
) -> Result<Response, Problem> {
    responder.answer(caller, info, use_case, async |_| Ok(services.directory.changed_agent(agent_id).await?)).await
}

/// An agent's availability.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "StatusChange")]
pub struct NewStatus {
    #[schemars(with = "values::AgentStatusName")]
    status: String,
    /// Whether they take new chats; as before when absent.
    accepting_chats: Option<bool>,
}

pub async fn set_status(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(agent_id): OneId<AgentId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<NewStatus>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let status = fields.word("status", &body.status, AgentStatus::parse, STATUSES);
    let status = fields.finish_with(status)?;
    let principal = caller.principal;
    let set = SetStatus { principal, agent_id, status, accepting_chats: body.accepting_chats, known_version };
    carry_out((&services, &responder), (&caller, agent_id), &info, set).await
}

/// A password for an agent who cannot log in any more.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PasswordReset {
    /// The password from now on.
    #[schemars(with = "values::NewPassword")]
    new_password: String,
}

pub async fn reset_password(
    State(services): State<Arc<Services>>,
    caller: Caller,
    OneId(agent_id): OneId<AgentId>,
    write: Write<PasswordReset>,
) -> Result<StatusCode, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let new = fields.text("newPassword", &body.new_password, NewPassword::parse);
    let new = fields.finish_with(new)?;
    services.sessions.reset_password(&caller, &info.request(&caller), (agent_id, &new)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn limit(fields: &mut Fields, chats: i64) -> Option<ChatLimit> {
    let refusal = || format!("must be from 1 to {}", ChatLimit::MAX);
    ChatLimit::new(chats).or_else(|| fields.refuse("maxConcurrentChats", refusal()))
}
