use std::convert::Infallible;

use application::ports::Position;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};

use crate::service::Refusal;

const HEADER: HeaderName = HeaderName::from_static("if-position-at-least");

/// The header `If-Position-At-Least`: the answer must show the log up to this position.
#[derive(Clone, Debug)]
pub struct AtLeast(Option<HeaderValue>);

impl AtLeast {
    /// The demanded position, if there is one. Not checked on extraction, so that invalid fields are reported first.
    ///
    /// # Errors
    /// When the header is not a position.
    pub fn position(&self) -> Result<Option<Position>, Refusal> {
        let Some(value) = &self.0 else { return Ok(None) };
        let position = value.to_str().ok().and_then(|text| text.parse::<Position>().ok()).filter(|at| *at >= 0);
        let refusal = || Refusal::invalid_field("If-Position-At-Least", "must be a position of the log");
        position.map(Some).ok_or_else(refusal)
    }
}

impl<S: Sync> FromRequestParts<S> for AtLeast {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get(&HEADER).cloned()))
    }
}
