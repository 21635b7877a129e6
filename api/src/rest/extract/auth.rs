use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::rest::problem::Problem;
use crate::service::{Caller, CallingAgent, Entrance, Refusal};

/// The entrance that counted the request.
///
/// # Errors
/// When no layer has entered the service: nothing may be done for such a request.
pub fn entrance(parts: &Parts) -> Result<Entrance, Refusal> {
    parts.extensions.get::<Entrance>().cloned().ok_or_else(Refusal::unauthorized)
}

/// The token that the caller has shown.
pub struct BearerToken(pub String);

impl<S: Sync> FromRequestParts<S> for BearerToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let token = bearer_token(&parts.headers).map(str::to_owned);
        Ok(token.map(Self).ok_or_else(Refusal::unauthorized)?)
    }
}

/// The guard of the endpoint has admitted the caller before.
fn admitted(parts: &Parts) -> Result<Caller, Refusal> {
    parts.extensions.get::<Caller>().copied().ok_or_else(Refusal::unauthorized)
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(admitted(parts)?)
    }
}

impl<S: Sync> FromRequestParts<S> for CallingAgent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(admitted(parts)?.agent()?)
    }
}

impl<S: Sync> FromRequestParts<S> for Entrance {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(entrance(parts)?)
    }
}

/// The token of the Authorization header; the scheme's name is case-insensitive (RFC 9110 §11.1).
#[must_use]
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
