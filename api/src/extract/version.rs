use application::ports::Sequence;
use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;

use crate::problem::Problem;

/// The version that the caller knows, from `If-Match: "<version>"` (RFC 9110 §13.1.1); none without one or with `*`.
#[derive(Clone, Copy, Debug)]
pub struct KnownVersion(pub Option<Sequence>);

impl<S: Sync> FromRequestParts<S> for KnownVersion {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(IF_MATCH) else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let version = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).and_then(|text| text.parse().ok());
        let version = version.filter(|version: &Sequence| *version >= 0);
        version.map(|version| Self(Some(version))).ok_or_else(|| {
            Problem::invalid_field("If-Match", "must be the version of the resource in quotation marks, or *")
        })
    }
}
