use application::ports::{AsOf, Principal};
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use domain::agent::Role;
use domain::ids::{AgentId, SessionId, VisitorId};
use domain::visitor::Visitor;
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::rest::problem::Problem;

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

/// When the caller was authenticated: whatever was acknowledged before the request came was in the log. For what is
/// only shown, as names are; whether the caller may see or do it is read when it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct AuthenticatedAt(pub AsOf);

/// The session of an agent's token.
#[derive(Clone, Copy, Debug)]
pub struct Session(pub SessionId);

/// Whom the token of a request is good for.
#[derive(Clone, Copy, Debug)]
pub struct Authenticated {
    /// Who calls.
    pub principal: Principal,
    session: Option<Session>,
    as_of: AsOf,
}

/// Who calls, by the token of a request.
///
/// # Errors
/// 401 without a valid token.
pub async fn authenticate(parts: &Parts, app: &App) -> Result<Authenticated, Problem> {
    let token = bearer_token(&parts.headers).ok_or_else(Problem::unauthorized)?;
    let verified = app.tokens.verify(token, app.bus.now()).map_err(|_| Problem::unauthorized())?;
    let id = match verified.principal {
        Principal::Agent { id, .. } => id,
        Principal::Visitor { id } => {
            let as_of = app.bus.as_of_now().await?;
            ensure_not_erased(&*app.bus.read_as_of(id, as_of).await?)?;
            return Ok(Authenticated { principal: verified.principal, session: None, as_of });
        }
    };
    let session = verified.session.ok_or_else(Problem::unauthorized)?;
    let (is_open, as_of) = tokio::join!(app.log_in.sessions.is_open(session), app.bus.as_of_now());
    if !is_open? {
        return Err(Problem::unauthorized());
    }
    // A token outlives demotions and deletions; the log knows better.
    let as_of = as_of?;
    let agent = app.bus.read_as_of::<domain::agent::Agent>(id, as_of).await?;
    if !agent.is_present() {
        return Err(Problem::unauthorized());
    }
    Ok(Authenticated { principal: Principal::Agent { id, role: agent.role }, session: Some(Session(session)), as_of })
}

/// The guard of the endpoint has let the caller in before.
fn authenticated(parts: &Parts) -> Result<Authenticated, Problem> {
    parts.extensions.get::<Authenticated>().copied().ok_or_else(Problem::unauthorized)
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        authenticated(parts)?.session.ok_or_else(Problem::unauthorized)
    }
}

impl<S: Sync> FromRequestParts<S> for AuthenticatedAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        authenticated(parts).map(|caller| Self(caller.as_of))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        authenticated(parts).map(|caller| Self(caller.principal))
    }
}

impl<S: Sync> FromRequestParts<S> for Agent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Caller::from_request_parts(parts, state).await?.0 {
            Principal::Agent { id, role } => Ok(Self { id, role }),
            Principal::Visitor { .. } => Err(Problem::forbidden("Only agents may do this.")),
        }
    }
}

/// The visitor of a session token that a widget sends back.
///
/// # Errors
/// 401 when the token is not a valid visitor's.
pub async fn optional_visitor(app: &App, token: Option<&str>) -> Result<Option<VisitorId>, Problem> {
    let Some(token) = token else { return Ok(None) };
    match app.tokens.verify(token, app.bus.now()).map(|verified| verified.principal) {
        Ok(Principal::Visitor { id }) => {
            ensure_not_erased(&*app.bus.read(id).await?)?;
            Ok(Some(id))
        }
        Ok(Principal::Agent { .. }) | Err(_) => Err(Problem::unauthorized()),
    }
}

/// The tokens of visitors who were erased are worth nothing any more, on any node.
fn ensure_not_erased(visitor: &Visitor) -> Result<(), Problem> {
    if visitor.erased { Err(Problem::unauthorized()) } else { Ok(()) }
}

/// Whom the token of a request names. It may have lost its session since, or its rights.
#[must_use]
pub fn named_principal(headers: &HeaderMap, app: &App) -> Option<Principal> {
    let verified = app.tokens.verify(bearer_token(headers)?, app.bus.now()).ok()?;
    Some(verified.principal)
}

/// Whether a request has the token for metrics. How long the comparison takes tells nothing about it.
#[must_use]
pub fn is_monitor(parts: &Parts, token: &[u8]) -> bool {
    bearer_token(&parts.headers).is_some_and(|given| given.as_bytes().ct_eq(token).into())
}

/// The token of the Authorization header; the scheme's name is case-insensitive (RFC 9110 §11.1).
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
