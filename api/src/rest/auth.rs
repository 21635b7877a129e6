//! Log-in, and who is logged in.

use application::agents::{PasswordChange, TokenPair};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use domain::agent::{self, AgentStatus, GivenPassword, Role};
use domain::ids::AgentId;
use domain::text::{EmailAddress, Name};
use projections::Deleted;
use projections::agents::AgentView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::client_address::ClientAddress;
use crate::openapi::values;
use crate::rest::extract::{Agent, Fields, Nothing, Session, Write};
use crate::rest::problem::Problem;
use crate::rest::respond::await_position;
use crate::views::View;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// In upper or lower case.
    #[schemars(with = "values::EmailAddress")]
    email: String,
    #[schemars(with = "values::GivenPassword")]
    password: String,
}

#[derive(Serialize)]
pub struct LoggedInBody {
    access_token: String,
    #[serde(rename = "expiresIn")]
    expires_in: i64,
    refresh_token: String,
    agent: AgentSummary,
}

#[derive(Serialize)]
pub struct AgentSummary {
    id: AgentId,
    name: Option<Name>,
    email: Option<EmailAddress>,
    role: Role,
    status: AgentStatus,
}

pub async fn log_in(
    State(app): State<App>,
    address: ClientAddress,
    write: Write<Credentials>,
) -> Result<Json<LoggedInBody>, Problem> {
    let Credentials { email, password } = write.body;
    let mut fields = Fields::default();
    let email = fields.text("email", &email, EmailAddress::parse);
    let password = fields.text("password", &password, GivenPassword::parse);
    let (email, password) = fields.finish_with(email.zip(password))?;
    let logged_in = app.log_in.log_in(&email, &password, &address.to_string()).await?;
    Ok(Json(body(logged_in.tokens, &logged_in.agent)))
}

fn body(tokens: TokenPair, agent: &domain::agent::Agent) -> LoggedInBody {
    let TokenPair { agent_id, access_token, expires_in, refresh_token } = tokens;
    let agent = AgentSummary {
        id: agent_id,
        name: agent.name.clone(),
        email: agent.email.clone(),
        role: agent.role,
        status: agent.status,
    };
    LoggedInBody { access_token, expires_in, refresh_token, agent }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// The one of the last answer.
    refresh_token: String,
}

pub async fn refresh(State(app): State<App>, write: Write<Renewal>) -> Result<Json<LoggedInBody>, Problem> {
    let tokens = app.log_in.sessions.renew(&write.body.refresh_token).await?;
    let agent = app.bus.read::<domain::agent::Agent>(tokens.agent_id).await?;
    Ok(Json(body(tokens, &agent)))
}

pub async fn log_out(State(app): State<App>, session: Session, _write: Write<Nothing>) -> Result<StatusCode, Problem> {
    app.log_in.sessions.end(session.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewPassword {
    /// The one until now.
    #[schemars(with = "values::GivenPassword")]
    current_password: String,
    /// The one from now on.
    #[schemars(with = "values::NewPassword")]
    new_password: String,
}

/// All other sessions of the agent end with it.
pub async fn change_password(
    State(app): State<App>,
    agent: Agent,
    session: Session,
    address: ClientAddress,
    write: Write<NewPassword>,
) -> Result<StatusCode, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let current = fields.text("currentPassword", &body.current_password, GivenPassword::parse);
    let new = fields.text("newPassword", &body.new_password, agent::NewPassword::parse);
    let (current, new) = fields.finish_with(current.zip(new))?;
    let context = app.bus.context(agent.principal().actor(), info.request_id.uuid());
    let change = PasswordChange { agent_id: agent.id, session: Some(session.0), current, new };
    app.log_in.change_password(context, change, &address.to_string()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn me(State(app): State<App>, agent: Agent, headers: HeaderMap) -> Result<Json<AgentView>, Problem> {
    await_position(&app, &headers, &[View::Agents]).await?;
    let found = app.agents.find_agent(agent.id, Deleted::Hidden).await?;
    found.map(Json).ok_or_else(|| Problem::not_found("agent"))
}
