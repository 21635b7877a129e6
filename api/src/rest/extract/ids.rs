use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::rest::problem::Problem;
use crate::service::Refusal;

/// An id that can stand in a path.
pub trait Id: FromStr + Send {}

impl<T: FromStr + Send> Id for T {}

/// The one id in the path of a request.
#[derive(Clone, Copy, Debug)]
pub struct OneId<T>(pub T);

/// The two ids in the path of a request.
#[derive(Clone, Copy, Debug)]
pub struct TwoIds<T, U>(pub T, pub U);

impl<T: Id, S: Send + Sync> FromRequestParts<S> for OneId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self(id(&params(parts, state).await?, 0)?))
    }
}

impl<T: Id, U: Id, S: Send + Sync> FromRequestParts<S> for TwoIds<T, U> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = params(parts, state).await?;
        Ok(Self(id(&params, 0)?, id(&params, 1)?))
    }
}

async fn params<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, Problem> {
    RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| Refusal::invalid_field("id", "must be a UUID").into())
}

fn id<T: Id>(params: &RawPathParams, place: usize) -> Result<T, Problem> {
    let (name, text) = params.iter().nth(place).unwrap_or(("id", ""));
    text.parse().map_err(|_| Refusal::invalid_field(name, "must be a UUID").into())
}
