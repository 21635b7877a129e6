//! Refusals and failures as `application/problem+json` (RFC 9457): the only place that knows status codes.

use application::UseCaseError;
use application::ports::{AppendError, HashError, RateLimit, ReadError};
use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::agent::{AgentError, EmailClaimError};
use domain::conversation::ConversationError;
use domain::tag::TagNameClaimError;
use domain::thread::ThreadError;
use domain::visitor::VisitorError;
use domain::workspace::WorkspaceError;
use infrastructure::database::DatabaseError;
use projections::QueryError;
use serde::Serialize;

use crate::limits;
use crate::rest::extract::RequestId;
use crate::service::reading::ReadingError;

/// What is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field, by its name in the request.
    pub field: String,
    /// What is wrong, in words.
    pub message: String,
}

/// A refusal or failure.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_seconds: Option<u32>,
    current_version: Option<i64>,
    rate_limit: Option<RateLimit>,
}

/// A [`Problem`] as it is sent.
#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'a str,
    instance: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(rename = "currentVersion", skip_serializing_if = "Option::is_none")]
    current_version: Option<i64>,
}

impl Problem {
    /// A problem with a code that clients may rely on.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: vec![],
            retry_after_seconds: None,
            current_version: None,
            rate_limit: None,
        }
    }

    /// 400 with a message for each field that is wrong.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let problem = Self::new(StatusCode::BAD_REQUEST, "invalid_request", "The request has invalid fields.");
        Self { errors, ..problem }
    }

    /// 400 for one field.
    #[must_use]
    pub fn invalid_field(field: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { field: field.to_owned(), message: message.into() }])
    }

    /// 400 for a request that is not understood.
    #[must_use]
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_request", detail)
    }

    /// 401: no token, or one that is not valid.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "A valid bearer token is required.")
    }

    /// 403: a valid token without the right.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404, also for what the caller may not know of.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("The {what} does not exist."))
    }

    /// 410: what the request asks for again was there, and was erased.
    #[must_use]
    pub fn visitor_erased() -> Self {
        let detail = "The chat started with this idempotency key was erased. Use a new key to start another chat.";
        Self::new(StatusCode::GONE, "visitor_erased", detail)
    }

    /// 429 until the window ends.
    #[must_use]
    pub fn rate_limited(standing: RateLimit) -> Self {
        let seconds = standing.reset_seconds;
        let detail = format!("Too many requests; try again in {seconds} seconds.");
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
        Self { retry_after_seconds: Some(seconds), rate_limit: Some(standing), ..problem }
    }

    /// 503 with a hint when to come back.
    #[must_use]
    pub fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        Self { retry_after_seconds: Some(1), ..problem }
    }

    /// 503: the read models have not come far enough.
    #[must_use]
    pub fn view_behind() -> Self {
        Self::unavailable("position_not_reached", "The read models have not reached this position yet.")
    }

    /// 500: something that should not happen. The cause is in the log, under the request's id.
    #[must_use]
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "request failed");
        let detail = "Something went wrong. The request id leads to the cause in the server's log.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail)
    }

    /// 412: the resource is not in the version that the caller knows.
    fn version_moved(current: i64) -> Self {
        let detail = format!("The resource is at version {current} now; read it again.");
        Self { current_version: Some(current), ..Self::new(StatusCode::PRECONDITION_FAILED, "version_moved", detail) }
    }

    fn conflict(code: &'static str, error: &dyn std::error::Error) -> Self {
        Self::new(StatusCode::CONFLICT, code, sentence(&error.to_string()))
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
            detail: &self.detail,
            instance,
            errors: &self.errors,
            current_version: self.current_version,
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
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(standing) = self.rate_limit {
            limits::tell(headers, standing);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The first letter large, a full stop at the end.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
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
    // What the layers between have added stays, such as the rate limits.
    let mut headers = response.headers().clone();
    headers.remove(header::CONTENT_LENGTH);
    for (name, value) in rendered.headers() {
        headers.insert(name, value.clone());
    }
    *rendered.headers_mut() = headers;
    rendered
}

impl From<UseCaseError> for Problem {
    fn from(error: UseCaseError) -> Self {
        match &error {
            UseCaseError::NotFound(entity) => Self::not_found(entity.as_str()),
            UseCaseError::Forbidden(detail) => Self::forbidden(sentence(detail)),
            UseCaseError::UnknownReference { field, .. } => Self::invalid_field(field, error.to_string()),
            UseCaseError::RateLimited(standing) => Self::rate_limited(*standing),
            // The caller is known: the field is wrong, not the token.
            UseCaseError::WrongCurrentPassword => Self::invalid_field("currentPassword", "is wrong"),
            UseCaseError::WrongCredentials => {
                Self::new(StatusCode::UNAUTHORIZED, "wrong_credentials", sentence(&error.to_string()))
            }
            UseCaseError::SessionEnded => {
                Self::new(StatusCode::UNAUTHORIZED, "session_ended", sentence(&error.to_string()))
            }
            UseCaseError::CommandReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "This idempotency key was used for another request.",
            ),
            UseCaseError::ChatErased => Self::visitor_erased(),
            UseCaseError::Contended => Self::unavailable("contended", "Too many changes to the same thing at once."),
            UseCaseError::Conversation(refusal) => from_conversation(*refusal),
            UseCaseError::Thread(refusal) => from_thread(*refusal),
            UseCaseError::Agent(refusal) => from_agent(*refusal),
            UseCaseError::Visitor(refusal) => match refusal {
                VisitorError::NotRegistered => Self::not_found("visitor"),
                VisitorError::HasOpenChat { .. } => Self::conflict("visitor_has_open_chat", refusal),
                VisitorError::Erased => Self::conflict("visitor_erased", refusal),
            },
            UseCaseError::EmailClaim(refusal @ EmailClaimError::Taken) => Self::conflict("email_taken", refusal),
            UseCaseError::TagNameClaim(refusal @ TagNameClaimError::Taken) => Self::conflict("tag_name_taken", refusal),
            UseCaseError::DefaultGroup => Self::conflict("default_group", &error),
            UseCaseError::VersionMoved { current } => Self::version_moved(*current),
            UseCaseError::Workspace(refusal @ WorkspaceError::LastAdmin) => Self::conflict("last_admin", refusal),
            UseCaseError::Group(_) => Self::not_found("group"),
            UseCaseError::Tag(_) => Self::not_found("tag"),
            UseCaseError::Hash(HashError::Busy) => {
                Self::unavailable("busy", "Too many passwords are being checked; try again.")
            }
            UseCaseError::Append(AppendError::Unavailable { .. })
            | UseCaseError::Read(ReadError::Unavailable { .. })
            | UseCaseError::Store(_) => unavailable(&error),
            UseCaseError::Append(AppendError::Invalid { .. }) => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "The request changes more than fits one transaction.",
            ),
            UseCaseError::Append(_)
            | UseCaseError::Read(_)
            | UseCaseError::Hash(_)
            | UseCaseError::Serialisation(_)
            | UseCaseError::Aborted => Self::internal(&error),
        }
    }
}

impl From<ReadingError> for Problem {
    fn from(error: ReadingError) -> Self {
        match error {
            ReadingError::Refused(error) => error.into(),
            ReadingError::Query(error) => error.into(),
            ReadingError::ViewBehind => Self::view_behind(),
        }
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        if error.is_transient() { unavailable(&error) } else { Self::internal(&error) }
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Cursor(error) => Self::invalid_field("cursor", error.to_string()),
            QueryError::Database(error) => error.into(),
        }
    }
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> Problem {
    tracing::warn!(error, "database is unavailable");
    Problem::unavailable(
        "unavailable",
        "The database cannot be reached or takes no changes now. Whether a change was made may be unknown: repeat it with the same idempotency key.",
    )
}

fn from_conversation(refusal: ConversationError) -> Problem {
    match refusal {
        ConversationError::NotStarted => Problem::not_found("conversation"),
        ConversationError::AlreadyStarted => Problem::conflict("already_started", &refusal),
        ConversationError::ChatClosed => Problem::conflict("chat_closed", &refusal),
        ConversationError::ChatOpen => Problem::conflict("chat_open", &refusal),
        ConversationError::AlreadyAssigned => Problem::conflict("already_assigned", &refusal),
    }
}

fn from_thread(refusal: ThreadError) -> Problem {
    match refusal {
        ThreadError::NotStarted => Problem::not_found("thread"),
        ThreadError::AlreadyStarted => Problem::conflict("already_started", &refusal),
        ThreadError::ThreadClosed => Problem::conflict("chat_closed", &refusal),
        ThreadError::NotAParticipant => Problem::forbidden(sentence(&refusal.to_string())),
    }
}

fn from_agent(refusal: AgentError) -> Problem {
    match refusal {
        AgentError::NotRegistered => Problem::not_found("agent"),
        AgentError::AlreadyRegistered => Problem::conflict("already_registered", &refusal),
        AgentError::AtCapacity => Problem::conflict("agent_at_capacity", &refusal),
        AgentError::NotAvailable => Problem::conflict("agent_not_available", &refusal),
    }
}
