//! Refusals as `application/problem+json` (RFC 9457). No other file of this door, and none of the service, knows status
//! codes of refusals.

use application::UseCaseError;
use application::ports::RateLimit;
use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::ids::ConversationId;
use schemars::JsonSchema;
use serde::Serialize;

use super::request_id::RequestId;
use crate::service::{Code, FieldError, Refusal};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// A refusal with its status code.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    refusal: Box<Refusal>,
}

/// A refusal or failure according to RFC 9457.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Body<'a> {
    /// `urn:livechatlog:problem:` and the code.
    r#type: String,
    /// The name of the status.
    title: &'static str,
    /// The status code.
    status: u16,
    /// The code that programs may rely on.
    code: &'static str,
    /// A description for people.
    detail: &'a str,
    /// The request's id. The server's log may have more under it.
    instance: &'a str,
    /// The errors of single fields, if there are any.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    /// The current version of the resource; only with 412.
    #[serde(rename = "currentVersion", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    current_version: Option<i64>,
    /// The visitor's open conversation; only with `visitor_has_open_chat`.
    #[serde(rename = "openConversationId", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ConversationId")]
    open_conversation: Option<ConversationId>,
}

/// The status code of a refusal.
const fn status_of(code: Code) -> StatusCode {
    match code {
        Code::InvalidRequest | Code::MalformedRequest => StatusCode::BAD_REQUEST,
        Code::Unauthorized | Code::WrongCredentials | Code::SessionEnded | Code::SessionTokenInvalid => {
            StatusCode::UNAUTHORIZED
        }
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::VisitorHasOpenChat
        | Code::VisitorErased
        | Code::EmailTaken
        | Code::TagNameTaken
        | Code::DefaultGroup
        | Code::LastAdmin
        | Code::AlreadyStarted
        | Code::AlreadyRegistered
        | Code::ChatClosed
        | Code::ChatOpen
        | Code::TooManyThreads
        | Code::AlreadyAssigned
        | Code::AgentAtCapacity
        | Code::AgentNotAvailable => StatusCode::CONFLICT,
        Code::ChatErased => StatusCode::GONE,
        Code::VersionMoved => StatusCode::PRECONDITION_FAILED,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        Code::RateLimited | Code::TooManyOpenChats => StatusCode::TOO_MANY_REQUESTS,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Unavailable | Code::Contended | Code::Busy | Code::PositionNotReached => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The status of a GraphQL answer: 400 for a request of which nothing was executed.
pub const fn graphql_status(is_wrong: bool) -> StatusCode {
    if is_wrong { StatusCode::BAD_REQUEST } else { StatusCode::OK }
}

impl Problem {
    /// 405: the resource does not have the method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let detail = "The resource does not have this method.";
        Self::of_http(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    /// 406: the resource has no form that the client takes.
    #[must_use]
    pub fn not_acceptable(detail: &str) -> Self {
        Self::of_http(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail)
    }

    /// 408: the answer would come too late.
    #[must_use]
    pub fn request_timeout() -> Self {
        let detail = "The request took too long. Whether a change was made may be unknown.";
        Self::of_http(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail)
    }

    /// 415: the body is of another media type.
    #[must_use]
    pub fn unsupported_media_type() -> Self {
        let detail = "The body must be application/json.";
        Self::of_http(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    }

    /// A refusal that only HTTP knows.
    fn of_http(status: StatusCode, code: &'static str, detail: &str) -> Self {
        Self { status, code, refusal: Box::new(Refusal::malformed(detail)) }
    }

    /// The status code.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    fn body<'a>(&'a self, instance: &'a str) -> Body<'a> {
        Body {
            r#type: format!("urn:livechatlog:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.refusal.detail,
            instance,
            errors: &self.refusal.fields,
            current_version: self.refusal.current_version,
            open_conversation: self.refusal.open_conversation,
        }
    }

    /// The problem as a part of an answer to a request that asked for several things.
    #[must_use]
    pub fn as_part(&self, instance: &str) -> serde_json::Value {
        serde_json::to_value(self.body(instance)).unwrap_or_default()
    }

    fn render(&self, instance: &str) -> Response {
        let mut response = (self.status, Json(self.body(instance))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.refusal.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(standing) = self.refusal.rate_limit {
            write_rate_limit(headers, standing);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Writes the state of a rate limit, as in draft-ietf-httpapi-ratelimit-headers-07.
pub fn write_rate_limit(headers: &mut HeaderMap, standing: RateLimit) {
    headers.insert(LIMIT, HeaderValue::from(standing.limit));
    headers.insert(REMAINING, HeaderValue::from(standing.remaining));
    headers.insert(RESET, HeaderValue::from(standing.reset_seconds));
}

/// Whether the state of a rate limit is written.
pub fn has_rate_limit(headers: &HeaderMap) -> bool {
    headers.contains_key(LIMIT)
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self { status: status_of(refusal.code), code: refusal.code.as_str(), refusal: Box::new(refusal) }
    }
}

impl From<UseCaseError> for Problem {
    fn from(error: UseCaseError) -> Self {
        Refusal::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // The body needs the request's id, which `render_problems` knows.
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the bodies of problems, which need the request's id.
pub async fn render_problems(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    let response = next.run(request).await;
    let Some(problem) = response.extensions().get::<Problem>() else { return response };
    let mut rendered = problem.render(id.as_str());
    // Headers that the layers in between have added stay, such as the rate limits.
    let mut headers = response.headers().clone();
    headers.remove(header::CONTENT_LENGTH);
    for (name, value) in rendered.headers() {
        headers.insert(name, value.clone());
    }
    *rendered.headers_mut() = headers;
    rendered
}
