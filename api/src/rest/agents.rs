//! Agents: registration, lists, availability.

use application::UseCaseError;
use application::agents::{RegisterAgent, SetStatus};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::agent::{AgentStatus, ChatLimit, Registration, Role};
use domain::ids::AgentId;
use domain::text::{AvatarUrl, EmailAddress, Name};
use projections::agents::{AgentFilter, AgentView, GroupView};
use projections::{Deleted, Page};
use serde::Deserialize;

use super::paging;
use crate::app::App;
use crate::config::is_password;
use crate::extract::{Agent, Fields, OneId, Query, Write};
use crate::problem::Problem;
use crate::respond::{Answer, await_position, first_answer, keep_answer, settle};
use crate::views::View;

const ROLES: &str = "agent, supervisor, admin";
const STATUSES: &str = "online, away, offline";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewAgent {
    name: String,
    email: String,
    password: String,
    role: Option<String>,
    status: Option<String>,
    accepting_chats: Option<bool>,
    max_concurrent_chats: Option<i64>,
    avatar: Option<String>,
}

impl NewAgent {
    fn check(self, app: &App) -> Result<(Registration, String), Problem> {
        let mut fields = Fields::default();
        let name = fields.text("name", &self.name, Name::parse);
        let email = fields.text("email", &self.email, EmailAddress::parse);
        if !is_password(&self.password) {
            fields.refuse::<()>("password", "must have 8 to 128 characters");
        }
        let role = match &self.role {
            Some(role) => fields.word("role", role, Role::parse, ROLES),
            None => Some(Role::default()),
        };
        let status = match &self.status {
            Some(status) => fields.word("status", status, AgentStatus::parse, STATUSES),
            None => Some(AgentStatus::default()),
        };
        let chat_limit = match self.max_concurrent_chats {
            Some(chats) => ChatLimit::new(chats)
                .or_else(|| fields.refuse("maxConcurrentChats", format!("must be from 1 to {}", ChatLimit::MAX))),
            None => Some(ChatLimit::default()),
        };
        let avatar = fields.optional("avatar", self.avatar.as_deref(), AvatarUrl::parse);
        let accepting_chats = self.accepting_chats.unwrap_or(true);
        let at = app.bus.now();
        let registration = (|| {
            let (name, email, role, status, chat_limit) = (name?, email?, role?, status?, chat_limit?);
            Some(Registration { name, email, avatar, role, status, accepting_chats, chat_limit, at })
        })();
        Ok((fields.finish_with(registration)?, self.password))
    }
}

pub async fn create(State(app): State<App>, agent: Agent, write: Write<NewAgent>) -> Result<Response, Problem> {
    if agent.role < Role::Admin {
        // Before the password is hashed: only those who may are worth the work.
        return Err(Problem::forbidden("Only admins may do this."));
    }
    let Write { body, info } = write;
    let principal = agent.principal();
    if let Some(answer) = first_answer(&app, &info, &principal.actor()).await? {
        return Ok(answer.into_response());
    }
    let (registration, password) = body.check(&app)?;
    let hash = app.hasher.hash(&password).await.map_err(UseCaseError::from)?;
    let agent_id = AgentId::new(app.bus.new_uuid());
    app.credentials.save_hash(agent_id, &hash, registration.at).await.map_err(UseCaseError::from)?;
    let register = RegisterAgent { principal, agent_id, registration };
    let executed = app.bus.execute(info.context(&app, principal), register).await;
    let in_vain = match &executed {
        Ok(done) => done.output != agent_id,
        // Where the outcome is unknown, the agent may exist and need the password.
        Err(error) => !error.is_transient() && !matches!(error, UseCaseError::Aborted),
    };
    if in_vain {
        app.credentials.remove_hash(agent_id).await.map_err(UseCaseError::from)?;
    }
    let executed = executed?;
    settle(&app, &info, &executed, &[View::Agents]).await;
    let answer = Answer::created(&view(&app, executed.output).await?)?.of(&executed, &info);
    keep_answer(&app, &info, &principal.actor(), &answer).await;
    Ok(answer.into_response())
}

async fn view(app: &App, id: AgentId) -> Result<AgentView, Problem> {
    app.agents.find_agent(id, Deleted::Hidden).await?.ok_or_else(|| Problem::not_found("agent"))
}

pub async fn read(
    State(app): State<App>,
    _agent: Agent,
    OneId(id): OneId<AgentId>,
    headers: HeaderMap,
) -> Result<Json<AgentView>, Problem> {
    await_position(&app, &headers, &[View::Agents]).await?;
    view(&app, id).await.map(Json)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AgentQuery {
    status: Option<String>,
    role: Option<String>,
    group_id: Option<String>,
    search: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

pub async fn list(
    State(app): State<App>,
    _agent: Agent,
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
    let filter = AgentFilter { status, role, group_id, search, deleted: Deleted::Hidden };
    Ok(Json(app.agents.list_agents(&filter, &page).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    limit: Option<String>,
    cursor: Option<String>,
}

pub async fn list_groups(
    State(app): State<App>,
    _agent: Agent,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Json<Page<GroupView>>, Problem> {
    let mut fields = Fields::default();
    let limit = paging::limit(&mut fields, query.limit.as_deref());
    let page = paging::page(fields, limit, query.cursor)?;
    await_position(&app, &headers, &[View::Agents]).await?;
    Ok(Json(app.agents.list_groups(Deleted::Hidden, &page).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewStatus {
    status: String,
    accepting_chats: Option<bool>,
}

pub async fn set_status(
    State(app): State<App>,
    agent: Agent,
    OneId(agent_id): OneId<AgentId>,
    write: Write<NewStatus>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let status = fields.word("status", &body.status, AgentStatus::parse, STATUSES);
    let status = fields.finish_with(status)?;
    let principal = agent.principal();
    if let Some(answer) = first_answer(&app, &info, &principal.actor()).await? {
        return Ok(answer.into_response());
    }
    let set = SetStatus { principal, agent_id, status, accepting_chats: body.accepting_chats };
    let executed = app.bus.execute(info.context(&app, principal), set).await?;
    settle(&app, &info, &executed, &[View::Agents, View::Conversations, View::ThreadEvents]).await;
    let answer = Answer::ok(&view(&app, agent_id).await?)?.of(&executed, &info);
    keep_answer(&app, &info, &principal.actor(), &answer).await;
    Ok(answer.into_response())
}
