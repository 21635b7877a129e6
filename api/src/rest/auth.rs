//! Log-in, and who is logged in.

use application::UseCaseError;
use application::agents::TokenPair;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use domain::agent::{AgentStatus, Role};
use domain::ids::AgentId;
use domain::text::{EmailAddress, Name};
use projections::Deleted;
use projections::agents::AgentView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::client_address::ClientAddress;
use crate::config::is_password;
use crate::extract::{Agent, Fields, Nothing, Session, Write};
use crate::openapi::values;
use crate::problem::Problem;
use crate::respond::await_position;
use crate::views::View;

/// A longer text is no password of ours; hashing it would only cost time.
pub const MAX_PASSWORD_BYTES: usize = 1024;

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
    if password.is_empty() || password.len() > MAX_PASSWORD_BYTES {
        fields.refuse::<()>("password", format!("must have 1 to {MAX_PASSWORD_BYTES} bytes"));
    }
    let email = fields.finish_with(email)?;
    let attempt = app.limits.begin_log_in(&email, address).await?;
    let logged_in = app.log_in.log_in(&email, &password).await;
    attempt.end(&logged_in).await;
    let logged_in = logged_in?;
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
    if body.current_password.is_empty() || body.current_password.len() > MAX_PASSWORD_BYTES {
        fields.refuse::<()>("currentPassword", format!("must have 1 to {MAX_PASSWORD_BYTES} bytes"));
    }
    if !is_password(&body.new_password) {
        fields.refuse::<()>("newPassword", "must have 8 to 128 characters");
    }
    fields.finish()?;
    let context = app.bus.context(agent.principal().actor(), info.request_id.uuid());
    let passwords = (body.current_password.as_str(), body.new_password.as_str());
    // Whoever has stolen a token must not guess the password faster than whoever has none.
    let known = app.bus.read::<domain::agent::Agent>(agent.id).await?;
    let email = known.email.as_ref().ok_or_else(|| Problem::not_found("agent"))?;
    let attempt = app.limits.begin_log_in(email, address).await?;
    let changed = app.log_in.change_password(context, agent.id, Some(session.0), passwords).await;
    attempt.end(&changed).await;
    match changed {
        // The caller is known: it is the field that is wrong, not the token.
        Err(UseCaseError::WrongCredentials) => Err(Problem::invalid_field("currentPassword", "is wrong")),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(StatusCode::NO_CONTENT),
    }
}

pub async fn me(State(app): State<App>, agent: Agent, headers: HeaderMap) -> Result<Json<AgentView>, Problem> {
    await_position(&app, &headers, &[View::Agents]).await?;
    let found = app.agents.find_agent(agent.id, Deleted::Hidden).await?;
    found.map(Json).ok_or_else(|| Problem::not_found("agent"))
}
