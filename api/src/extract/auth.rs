use application::ports::Principal;
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use domain::agent::Role;
use domain::ids::{AgentId, VisitorId};

use crate::app::App;
use crate::problem::Problem;

/// Whoever calls with a valid token.
#[derive(Clone, Copy, Debug)]
pub struct Caller(pub Principal);

/// An agent who calls with a valid token.
#[derive(Clone, Copy, Debug)]
pub struct Agent {
    /// Who.
    pub id: AgentId,
    /// Their role now, which may differ from when the token was issued.
    pub role: Role,
}

impl Agent {
    /// The agent as a principal.
    #[must_use]
    pub const fn principal(self) -> Principal {
        Principal::Agent { id: self.id, role: self.role }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = bearer_token(parts).ok_or_else(Problem::unauthorized)?;
        let claimed = app.tokens.verify(token, app.bus.now()).map_err(|_| Problem::unauthorized())?;
        match claimed {
            Principal::Visitor { .. } => Ok(Self(claimed)),
            Principal::Agent { id, .. } => {
                // A token outlives demotions and deletions; the log knows better.
                let agent = app.bus.read::<domain::agent::Agent>(id).await?;
                if !agent.is_present() {
                    return Err(Problem::unauthorized());
                }
                Ok(Self(Principal::Agent { id, role: agent.role }))
            }
        }
    }
}

impl FromRequestParts<App> for Agent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match Caller::from_request_parts(parts, app).await?.0 {
            Principal::Agent { id, role } => Ok(Self { id, role }),
            Principal::Visitor { .. } => Err(Problem::forbidden("Only agents may do this.")),
        }
    }
}

/// The visitor of a session token that a widget sends back.
///
/// # Errors
/// 401 when the token is not a valid visitor's.
pub fn optional_visitor(app: &App, token: Option<&str>) -> Result<Option<VisitorId>, Problem> {
    let Some(token) = token else { return Ok(None) };
    match app.tokens.verify(token, app.bus.now()) {
        Ok(Principal::Visitor { id }) => Ok(Some(id)),
        Ok(Principal::Agent { .. }) | Err(_) => Err(Problem::unauthorized()),
    }
}

/// The token of the Authorization header; the scheme's name is case-insensitive (RFC 9110 §11.1).
fn bearer_token(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
