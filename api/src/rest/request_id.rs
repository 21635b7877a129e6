//! The id of a request, in answers and in the log.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::convert::Infallible;
use std::sync::Arc;

use application::ports::Ids;
use axum::extract::State;
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const MAX_LENGTH: usize = 128;

/// The id of a request: the caller's own, or a new one.
#[derive(Clone, Debug, Default)]
pub struct RequestId {
    text: Arc<str>,
    /// The text itself when it is a UUID, else one made for this request.
    uuid: Uuid,
}

impl RequestId {
    /// The id as the caller wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The id as a UUID. What correlates the events of the request follows from it and from the caller.
    #[must_use]
    pub const fn uuid(&self) -> Uuid {
        self.uuid
    }
}

/// Gives every request its id, and every answer the id of its request.
pub async fn assign_request_id(State(ids): State<Arc<dyn Ids>>, mut request: Request, next: Next) -> Response {
    let given = request.headers().get(&HEADER).and_then(|value| value.to_str().ok());
    let usable = given.filter(|id| {
        !id.is_empty() && id.len() <= MAX_LENGTH && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
    });
    let uuid = usable.and_then(|id| Uuid::try_parse(id).ok()).unwrap_or_else(|| ids.new_uuid());
    let text: Arc<str> = usable.map_or_else(|| uuid.to_string().into(), Into::into);
    request.extensions_mut().insert(RequestId { text: Arc::clone(&text), uuid });
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
