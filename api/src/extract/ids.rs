use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::problem::Problem;

/// An id that can stand in a path.
pub trait Id: FromStr + Send {}

impl<T: FromStr + Send> Id for T {}

/// The one id in the path of a request.
#[derive(Clone, Copy, Debug)]
pub struct OneId<T>(pub T);

impl<T: Id, S: Send + Sync> FromRequestParts<S> for OneId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let invalid = || Problem::invalid_field("id", "must be a UUID");
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| invalid())?;
        let (_, text) = params.iter().next().ok_or_else(invalid)?;
        text.parse().map(Self).map_err(|_| invalid())
    }
}
