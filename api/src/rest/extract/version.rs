use application::ports::Sequence;
use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;

use crate::rest::problem::Problem;
use crate::service::Refusal;

/// The version that the caller knows, from `If-Match: "<version>"` (RFC 9110 §13.1.1); none without one or with `*`.
#[derive(Clone, Copy, Debug)]
pub struct KnownVersion(pub Option<Sequence>);

impl<S: Sync> FromRequestParts<S> for KnownVersion {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(IF_MATCH).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default().trim();
        let known = if text == "*" { Some(Self(None)) } else { version(text).map(|version| Self(Some(version))) };
        known.filter(|_| values.next().is_none()).ok_or_else(|| {
            Refusal::invalid_field("If-Match", "must be one version of the resource in quotation marks, or *").into()
        })
    }
}

/// As it is written in resources, and in no other way: tags are compared letter by letter.
fn version(text: &str) -> Option<Sequence> {
    let digits = text.strip_prefix('"')?.strip_suffix('"')?;
    let version: Sequence = digits.parse().ok()?;
    (version >= 0 && version.to_string() == digits).then_some(version)
}
