//! Agents: registration, lists, availability.

use application::agents::{AgentChanges, ChangeAgent, DeleteAgent, SetStatus};
use application::command_bus::UseCase;
use application::ports::Principal;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::agent::{AgentStatus, ChatLimit, NewPassword, Registration, Role};
use domain::ids::AgentId;
use domain::text::{AvatarUrl, EmailAddress, Name};
use projections::agents::{AgentFilter, AgentView};
use projections::{Deleted, Page};
use schemars::JsonSchema;
use serde::Deserialize;

use super::paging;
use crate::app::App;
use crate::openapi::values;
use crate::rest::extract::{Agent, Fields, KnownVersion, Nothing, OneId, Query, Write, WriteInfo, given, whole};
use crate::rest::problem::Problem;
use crate::rest::respond::{Answer, Change, await_position, first_answer, keep_answer, settle};
use crate::service::reading::deleted;
use crate::views::View;

const ROLES: &str = "agent, supervisor, admin";
const STATUSES: &str = "online, away, offline";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
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
    #[serde(default, deserialize_with = "whole")]
    #[schemars(with = "Option<values::Chats>")]
    max_concurrent_chats: Option<i64>,
    /// The address of a picture of them.
    #[schemars(with = "Option<values::AvatarUrl>")]
    avatar: Option<String>,
}

impl NewAgent {
    fn check(self, app: &App) -> Result<(Registration, NewPassword), Problem> {
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
        let at = app.bus.now();
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

pub async fn create(State(app): State<App>, agent: Agent, write: Write<NewAgent>) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let principal = agent.principal();
    if let Some(answer) = first_answer(&app, &info, &principal.actor()).await? {
        return Ok(answer.into_response());
    }
    let (registration, password) = body.check(&app)?;
    let executed = app.accounts.register(info.context(&app, principal), principal, registration, &password).await?;
    // The answer is what the read model holds, so it is waited for, whatever the client prefers.
    let info = WriteInfo { respond_async: false, ..info };
    let settled = settle(&app, &info, &executed, &[View::Agents]).await;
    let answer = Answer::created(&find(&app, executed.output).await?)?.of(&executed, &info);
    if !settled {
        return Ok(answer.into_response());
    }
    Ok(keep_answer(&app, &info, &principal.actor(), answer).await?.into_response())
}

pub async fn read(
    State(app): State<App>,
    agent: Agent,
    OneId(id): OneId<AgentId>,
    Query(query): Query<paging::OneQuery>,
    headers: HeaderMap,
) -> Result<Json<AgentView>, Problem> {
    let deleted = deleted(agent.principal(), query.include_deleted)?;
    await_position(&app, &headers, &[View::Agents]).await?;
    let found = app.agents.find_agent(id, deleted).await?;
    found.map(Json).ok_or_else(|| Problem::not_found("agent"))
}

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
    #[schemars(with = "Option<values::Name>")]
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
    State(app): State<App>,
    agent: Agent,
    Query(query): Query<AgentQuery>,
    headers: HeaderMap,
) -> Result<Json<Page<AgentView>>, Problem> {
    let mut fields = Fields::default();
    let status = query.status.as_deref().and_then(|text| fields.word("status", text, AgentStatus::parse, STATUSES));
    let role = query.role.as_deref().and_then(|text| fields.word("role", text, Role::parse, ROLES));
    let group_id = fields.id("groupId", query.group_id.as_deref());
    let search = fields.optional("search", query.search.as_deref(), Name::parse);
    let search = search.map(|search| search.as_str().to_owned());
    let limit = paging::limit(&mut fields, query.limit.as_deref());
    let page = paging::page(fields, limit, query.cursor)?;
    await_position(&app, &headers, &[View::Agents]).await?;
    let deleted = deleted(agent.principal(), query.include_deleted)?;
    let filter = AgentFilter { status, role, group_id, search, deleted };
    Ok(Json(app.agents.list_agents(&filter, &page).await?))
}

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
    #[serde(default, deserialize_with = "whole")]
    #[schemars(with = "Option<values::Chats>")]
    max_concurrent_chats: Option<i64>,
    /// The address of another picture, or null for none.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<values::AvatarUrl>")]
    avatar: Option<Option<String>>,
}

impl Changes {
    fn check(&self) -> Result<AgentChanges, Problem> {
        let mut fields = Fields::default();
        let avatar = self.avatar.as_ref().map(|avatar| fields.optional("avatar", avatar.as_deref(), AvatarUrl::parse));
        let status = self.status.as_deref();
        let changes = AgentChanges {
            name: fields.optional("name", self.name.as_deref(), Name::parse),
            avatar,
            status: status.and_then(|text| fields.word("status", text, AgentStatus::parse, STATUSES)),
            accepting_chats: self.accepting_chats,
            email: fields.optional("email", self.email.as_deref(), EmailAddress::parse),
            role: self.role.as_deref().and_then(|text| fields.word("role", text, Role::parse, ROLES)),
            chat_limit: self.max_concurrent_chats.and_then(|chats| limit(&mut fields, chats)),
        };
        fields.finish_with(Some(changes))
    }
}

pub async fn change(
    State(app): State<App>,
    agent: Agent,
    OneId(agent_id): OneId<AgentId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Changes>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let (principal, changes) = (agent.principal(), body.check()?);
    let change = ChangeAgent { principal, agent_id, changes, known_version };
    carry_out(&app, principal, agent_id, &info, change).await
}

pub async fn delete(
    State(app): State<App>,
    agent: Agent,
    OneId(agent_id): OneId<AgentId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = agent.principal();
    let delete = DeleteAgent { principal, agent_id, deleted: true, known_version };
    let response = carry_out(&app, principal, agent_id, &write.info, delete).await?;
    // Who comes back has to log in again.
    app.log_in.sessions.end_others(agent_id, None).await?;
    Ok(response)
}

pub async fn restore(
    State(app): State<App>,
    agent: Agent,
    OneId(agent_id): OneId<AgentId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = agent.principal();
    let restore = DeleteAgent { principal, agent_id, deleted: false, known_version };
    carry_out(&app, principal, agent_id, &write.info, restore).await
}

/// An agent who exists, deleted or not.
async fn find(app: &App, id: AgentId) -> Result<AgentView, Problem> {
    app.agents.find_agent(id, Deleted::Shown).await?.ok_or_else(Problem::view_behind)
}

/// Carries a change of an agent out and answers with the agent.
async fn carry_out<U: UseCase>(
    app: &App,
    principal: Principal,
    agent_id: AgentId,
    info: &WriteInfo,
    use_case: U,
) -> Result<Response, Problem> {
    let views = [View::Agents, View::Conversations, View::ThreadEvents];
    Change { app, principal, info, views: &views }.answer(use_case, async |_| find(app, agent_id).await).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewStatus {
    #[schemars(with = "values::AgentStatusName")]
    status: String,
    /// Whether they take new chats; as before when absent.
    accepting_chats: Option<bool>,
}

pub async fn set_status(
    State(app): State<App>,
    agent: Agent,
    OneId(agent_id): OneId<AgentId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<NewStatus>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let status = fields.word("status", &body.status, AgentStatus::parse, STATUSES);
    let status = fields.finish_with(status)?;
    let principal = agent.principal();
    let set = SetStatus { principal, agent_id, status, accepting_chats: body.accepting_chats, known_version };
    carry_out(&app, principal, agent_id, &info, set).await
}

fn limit(fields: &mut Fields, chats: i64) -> Option<ChatLimit> {
    let refusal = || format!("must be from 1 to {}", ChatLimit::MAX);
    ChatLimit::new(chats).or_else(|| fields.refuse("maxConcurrentChats", refusal()))
}
