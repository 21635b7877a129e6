//! Log-in, and who is logged in.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::agent::{AgentStatus, Role};
use domain::ids::AgentId;
use domain::text::{EmailAddress, Name};
use projections::Deleted;
use projections::agents::AgentView;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::extract::{Agent, Fields, Write};
use crate::problem::Problem;
use crate::respond::await_position;
use crate::views::View;

/// A longer text is no password of ours; hashing it would only cost time.
const MAX_PASSWORD_BYTES: usize = 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    email: String,
    password: String,
}

#[derive(Serialize)]
pub struct LoggedInBody {
    access_token: String,
    #[serde(rename = "expiresIn")]
    expires_in: i64,
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

pub async fn log_in(State(app): State<App>, write: Write<Credentials>) -> Result<Json<LoggedInBody>, Problem> {
    let Credentials { email, password } = write.body;
    let mut fields = Fields::default();
    let email = fields.text("email", &email, EmailAddress::parse);
    if password.is_empty() || password.len() > MAX_PASSWORD_BYTES {
        fields.refuse::<()>("password", format!("must have 1 to {MAX_PASSWORD_BYTES} bytes"));
    }
    let email = fields.finish_with(email)?;
    let logged_in = app.log_in.log_in(&email, &password).await?;
    let agent = &logged_in.agent;
    let summary = AgentSummary {
        id: logged_in.agent_id,
        name: agent.name.clone(),
        email: agent.email.clone(),
        role: agent.role,
        status: agent.status,
    };
    let (access_token, expires_in) = (logged_in.access_token, logged_in.expires_in);
    Ok(Json(LoggedInBody { access_token, expires_in, agent: summary }))
}

pub async fn me(State(app): State<App>, agent: Agent, headers: HeaderMap) -> Result<Json<AgentView>, Problem> {
    await_position(&app, &headers, &[View::Agents]).await?;
    let found = app.agents.find_agent(agent.id, Deleted::Hidden).await?;
    found.map(Json).ok_or_else(|| Problem::not_found("agent"))
}
