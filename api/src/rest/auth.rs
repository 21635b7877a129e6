//! Log-in, and the agent that is logged in.

use std::sync::Arc;

use crate::service::rows::agents::AgentView;
use application::agents::TokenPair;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::agent::{self, AgentStatus, GivenPassword, Role};
use domain::ids::AgentId;
use domain::text::{EmailAddress, Name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rest::extract::{AtLeast, Nothing, Write};
use crate::rest::problem::Problem;
use crate::rest::values;
use crate::service::{Caller, CallingAgent, Entrance, Fields, Lookup, Services};

/// The credentials of an agent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// In upper or lower case.
    #[schemars(with = "values::EmailAddress")]
    email: String,
    #[schemars(with = "values::GivenPassword")]
    password: String,
}

/// Tokens of an agent who has logged in. The names of the tokens are those of OAuth 2.0.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LoggedIn")]
pub struct LoggedInBody {
    /// The bearer token for the Authorization header of each request.
    access_token: String,
    /// The lifetime of the access token in seconds.
    #[serde(rename = "expiresIn")]
    expires_in: i64,
    /// The token for one renewal. Used again within a minute, it gives the same new token; later, it ends the session.
    refresh_token: String,
    /// The agent who has logged in.
    agent: AgentSummary,
}

/// An agent in brief.
#[derive(Serialize, JsonSchema)]
pub struct AgentSummary {
    /// A UUID, assigned at the registration.
    id: AgentId,
    /// The agent's name.
    name: Option<Name>,
    /// The agent's e-mail address.
    email: Option<EmailAddress>,
    /// The agent's role.
    role: Role,
    /// The agent's presence.
    status: AgentStatus,
}

pub async fn log_in(
    State(services): State<Arc<Services>>,
    entrance: Entrance,
    write: Write<Credentials>,
) -> Result<Json<LoggedInBody>, Problem> {
    let Credentials { email, password } = write.body;
    let mut fields = Fields::default();
    let email = fields.text("email", &email, EmailAddress::parse);
    let password = fields.text("password", &password, GivenPassword::parse);
    let (email, password) = fields.finish_with(email.zip(password))?;
    let logged_in = services.sessions.log_in(&entrance, &email, &password).await?;
    Ok(Json(body(logged_in.tokens, &logged_in.agent)))
}

fn body(tokens: TokenPair, agent: &domain::agent::Agent) -> LoggedInBody {
    let TokenPair { agent_id, access_token, expires_in, refresh_token, .. } = tokens;
    let agent = AgentSummary {
        id: agent_id,
        name: agent.name.clone(),
        email: agent.email.clone(),
        role: agent.role,
        status: agent.status,
    };
    LoggedInBody { access_token, expires_in, refresh_token, agent }
}

/// A request for new tokens.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// The refresh token of the last response.
    refresh_token: String,
}

pub async fn refresh(
    State(services): State<Arc<Services>>,
    entrance: Entrance,
    write: Write<Renewal>,
) -> Result<Json<LoggedInBody>, Problem> {
    let (tokens, agent) = services.sessions.renew(&entrance, &write.body.refresh_token).await?;
    Ok(Json(body(tokens, &agent)))
}

pub async fn log_out(
    State(services): State<Arc<Services>>,
    caller: Caller,
    _write: Write<Nothing>,
) -> Result<StatusCode, Problem> {
    services.sessions.log_out(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A change of the caller's own password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "PasswordChange")]
pub struct PasswordChangeBody {
    /// The password until now, of which a wrong one counts as a failed log-in.
    #[schemars(with = "values::GivenPassword")]
    current_password: String,
    /// The password from now on; it ends all other sessions.
    #[schemars(with = "values::NewPassword")]
    new_password: String,
}

/// All other sessions of the agent end with it.
pub async fn change_password(
    State(services): State<Arc<Services>>,
    entrance: Entrance,
    caller: Caller,
    write: Write<PasswordChangeBody>,
) -> Result<StatusCode, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let current = fields.text("currentPassword", &body.current_password, GivenPassword::parse);
    let new = fields.text("newPassword", &body.new_password, agent::NewPassword::parse);
    let (current, new) = fields.finish_with(current.zip(new))?;
    services.sessions.change_password((&entrance, &caller), &info.request(&caller), (current, new)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn me(
    State(services): State<Arc<Services>>,
    agent: CallingAgent,
    at_least: AtLeast,
) -> Result<Json<AgentView>, Problem> {
    let lookup = Lookup { agent, include_deleted: None, at_least: at_least.position()? };
    Ok(Json(services.directory.agent(lookup, agent.id).await?))
}
