use application::UseCaseError;
use application::ports::{AppendError, HashError, RateLimit, ReadError};
use domain::agent::{AgentError, EmailClaimError};
use domain::conversation::ConversationError;
use domain::ids::ConversationId;
use domain::tag::TagNameClaimError;
use domain::thread::ThreadError;
use domain::visitor::VisitorError;
use domain::workspace::WorkspaceError;
use infrastructure::database::DatabaseError;
use projections::QueryError;
use schemars::JsonSchema;
use serde::Serialize;

use super::reading::ReadingError;

/// An error in one field, parameter or header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "FieldProblem")]
pub struct FieldError {
    /// The name of the field in the request.
    pub field: String,
    /// A description of the error.
    pub message: String,
}

/// The reasons for a refusal or failure, each with a code on which clients may rely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Fields of the request are invalid.
    InvalidRequest,
    /// The request cannot be read at all.
    MalformedRequest,
    /// The caller has no valid token.
    Unauthorized,
    /// The e-mail address or the password is wrong.
    WrongCredentials,
    /// The session of the token has ended.
    SessionEnded,
    /// The token of a visitor who returns is not valid, or no longer.
    SessionTokenInvalid,
    /// The caller is known and lacks the right.
    Forbidden,
    /// The thing does not exist, or the caller may not learn that it does.
    NotFound,
    /// The visitor has an open chat already.
    VisitorHasOpenChat,
    /// The visitor's personal data was erased.
    VisitorErased,
    /// The chat that an earlier request with the same key started was erased.
    ChatErased,
    /// Another agent has this e-mail address.
    EmailTaken,
    /// Another tag has this name.
    TagNameTaken,
    /// The default group must stay.
    DefaultGroup,
    /// The last admin must stay.
    LastAdmin,
    /// The conversation or thread has started already.
    AlreadyStarted,
    /// The agent is registered already.
    AlreadyRegistered,
    /// A closed chat takes no messages and no agents.
    ChatClosed,
    /// Only closed chats can be reopened.
    ChatOpen,
    /// The chat was reopened as often as it may be.
    TooManyThreads,
    /// As many chats of the caller's address are open as may be.
    TooManyOpenChats,
    /// An agent serves the chat already.
    AlreadyAssigned,
    /// The agent serves as many chats as the agent's limit allows.
    AgentAtCapacity,
    /// The agent takes no chats now.
    AgentNotAvailable,
    /// The resource is not in the version that the caller knows.
    VersionMoved,
    /// The request is larger than the service accepts.
    TooLarge,
    /// The idempotency key came with another request before.
    KeyReused,
    /// The caller has reached a rate limit.
    RateLimited,
    /// A defect; the log has the cause.
    Internal,
    /// The database cannot be reached.
    Unavailable,
    /// Too many changes of the same thing at the same time.
    Contended,
    /// Too many passwords are being checked.
    Busy,
    /// The read models have not reached the demanded position in time.
    PositionNotReached,
}

impl Code {
    /// The code as clients see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::MalformedRequest => "malformed_request",
            Self::Unauthorized => "unauthorized",
            Self::WrongCredentials => "wrong_credentials",
            Self::SessionEnded => "session_ended",
            Self::SessionTokenInvalid => "session_token_invalid",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::VisitorHasOpenChat => "visitor_has_open_chat",
            // One word for clients: in both cases the visitor's data are gone for good.
            Self::VisitorErased | Self::ChatErased => "visitor_erased",
            Self::EmailTaken => "email_taken",
            Self::TagNameTaken => "tag_name_taken",
            Self::DefaultGroup => "default_group",
            Self::LastAdmin => "last_admin",
            Self::AlreadyStarted => "already_started",
            Self::AlreadyRegistered => "already_registered",
            Self::ChatClosed => "chat_closed",
            Self::ChatOpen => "chat_open",
            Self::TooManyThreads => "too_many_threads",
            Self::TooManyOpenChats => "too_many_open_chats",
            Self::AlreadyAssigned => "already_assigned",
            Self::AgentAtCapacity => "agent_at_capacity",
            Self::AgentNotAvailable => "agent_not_available",
            Self::VersionMoved => "version_moved",
            Self::TooLarge => "too_large",
            Self::KeyReused => "idempotency_key_reused",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal_error",
            Self::Unavailable => "unavailable",
            Self::Contended => "contended",
            Self::Busy => "busy",
            Self::PositionNotReached => "position_not_reached",
        }
    }
}

/// A refusal or failure, in the words of no protocol: each door translates it.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The reason.
    pub code: Code,
    /// The reason as a sentence for people.
    pub detail: String,
    /// The invalid fields.
    pub fields: Vec<FieldError>,
    /// The pause before another attempt makes sense, in seconds.
    pub retry_after: Option<u32>,
    /// The version of the resource, when the caller knew another one.
    pub current_version: Option<i64>,
    /// The state of the limit that was reached.
    pub rate_limit: Option<RateLimit>,
    /// The visitor's open chat, which stands in the way.
    pub open_conversation: Option<ConversationId>,
}

impl Refusal {
    /// A refusal without further particulars.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let (detail, fields) = (detail.into(), vec![]);
        Self {
            code,
            detail,
            fields,
            retry_after: None,
            current_version: None,
            rate_limit: None,
            open_conversation: None,
        }
    }

    /// Refuses a request with a message for each invalid field.
    #[must_use]
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self { fields, ..Self::new(Code::InvalidRequest, "The request has invalid fields.") }
    }

    /// Refuses a request for one field.
    #[must_use]
    pub fn invalid_field(field: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { field: field.to_owned(), message: message.into() }])
    }

    /// Refuses a request that cannot be read.
    #[must_use]
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Code::MalformedRequest, detail)
    }

    /// Refuses a caller without a valid token.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(Code::Unauthorized, "A valid bearer token is required.")
    }

    /// Refuses the token of a visitor who returns.
    #[must_use]
    pub fn invalid_session_token() -> Self {
        let message = "is not the valid token of a visitor; begin a new session without it";
        let fields = vec![FieldError { field: "sessionToken".to_owned(), message: message.to_owned() }];
        Self { fields, ..Self::new(Code::SessionTokenInvalid, "The session token is not valid, or no longer.") }
    }

    /// Refuses a known caller who lacks the right.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(Code::Forbidden, detail)
    }

    /// Refuses a request for a thing that does not exist, or that the caller may not know of.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("The {what} does not exist."))
    }

    /// Refuses a caller until the window of a rate limit ends.
    #[must_use]
    pub fn rate_limited(standing: RateLimit) -> Self {
        let seconds = standing.reset_seconds;
        let detail = format!("Too many requests; try again in {seconds} seconds.");
        Self { retry_after: Some(seconds), rate_limit: Some(standing), ..Self::new(Code::RateLimited, detail) }
    }

    /// Refuses an answer from read models that are behind the demanded position.
    #[must_use]
    pub fn view_behind() -> Self {
        let detail = "The read models have not reached this position yet.";
        Self::new(Code::PositionNotReached, detail).with_retry()
    }

    /// Reports a defect. The cause goes to the log, under the request's id.
    #[must_use]
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "request failed");
        let detail = "Something went wrong. Quote the request id when reporting this.";
        Self::new(Code::Internal, detail)
    }

    fn unavailable(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(error, "database is unavailable");
        let detail = "The database cannot be reached or takes no changes now. Whether a change was made may be unknown: repeat it with the same idempotency key.";
        Self::new(Code::Unavailable, detail).with_retry()
    }

    fn version_moved(current: i64) -> Self {
        let detail = format!("The resource is at version {current} now; read it again.");
        Self { current_version: Some(current), ..Self::new(Code::VersionMoved, detail) }
    }

    /// Takes the text of the error for the detail.
    fn of(code: Code, error: &dyn std::error::Error) -> Self {
        Self::new(code, sentence(&error.to_string()))
    }

    fn with_retry(self) -> Self {
        Self { retry_after: Some(1), ..self }
    }
}

/// Capitalises the first letter and adds a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

impl From<UseCaseError> for Refusal {
    fn from(error: UseCaseError) -> Self {
        match &error {
            UseCaseError::NotFound(entity) => Self::not_found(entity.as_str()),
            UseCaseError::Forbidden(detail) => Self::forbidden(sentence(detail)),
            UseCaseError::UnknownReference { field, .. } => Self::invalid_field(field, error.to_string()),
            UseCaseError::RateLimited(standing) => Self::rate_limited(*standing),
            // The caller is known: the field is wrong, not the token.
            UseCaseError::WrongCurrentPassword => Self::invalid_field("currentPassword", "is wrong"),
            UseCaseError::ChatErased => {
                let detail =
                    "The chat started with this idempotency key was erased. Use a new key to start another chat.";
                Self::new(Code::ChatErased, detail)
            }
            UseCaseError::WrongCredentials => Self::of(Code::WrongCredentials, &error),
            UseCaseError::SessionEnded => Self::of(Code::SessionEnded, &error),
            UseCaseError::CallerGone => Self::unauthorized(),
            UseCaseError::CommandReused => {
                Self::new(Code::KeyReused, "This idempotency key was used for another request.")
            }
            UseCaseError::Contended => {
                Self::new(Code::Contended, "Too many changes to the same thing at once.").with_retry()
            }
            UseCaseError::Conversation(refusal) => of_conversation(*refusal),
            UseCaseError::Thread(refusal) => of_thread(*refusal),
            UseCaseError::Agent(refusal) => of_agent(*refusal),
            UseCaseError::Visitor(refusal) => match refusal {
                VisitorError::NotRegistered => Self::not_found("visitor"),
                VisitorError::HasOpenChat { conversation_id } => {
                    let open_conversation = Some(*conversation_id);
                    Self { open_conversation, ..Self::of(Code::VisitorHasOpenChat, refusal) }
                }
                VisitorError::Erased => Self::of(Code::VisitorErased, refusal),
            },
            UseCaseError::EmailClaim(refusal @ EmailClaimError::Taken) => Self::of(Code::EmailTaken, refusal),
            UseCaseError::TagNameClaim(refusal @ TagNameClaimError::Taken) => Self::of(Code::TagNameTaken, refusal),
            UseCaseError::DefaultGroup => Self::of(Code::DefaultGroup, &error),
            UseCaseError::VersionMoved { current } => Self::version_moved(*current),
            UseCaseError::Workspace(refusal @ WorkspaceError::LastAdmin) => Self::of(Code::LastAdmin, refusal),
            UseCaseError::Group(_) => Self::not_found("group"),
            UseCaseError::Tag(_) => Self::not_found("tag"),
            UseCaseError::Hash(HashError::Busy) => {
                Self::new(Code::Busy, "Too many passwords are being checked; try again.").with_retry()
            }
            UseCaseError::Append(AppendError::Unavailable { .. })
            | UseCaseError::Read(ReadError::Unavailable { .. } | ReadError::HistoryForked { .. })
            | UseCaseError::Store(_) => Self::unavailable(&error),
            UseCaseError::Append(AppendError::Invalid { .. }) => {
                Self::new(Code::TooLarge, "The request changes more than fits one transaction.")
            }
            UseCaseError::Append(_)
            | UseCaseError::Read(_)
            | UseCaseError::Hash(_)
            | UseCaseError::Serialisation(_)
            | UseCaseError::ForeignRecord { .. }
            | UseCaseError::Aborted => Self::internal(&error),
        }
    }
}

impl From<DatabaseError> for Refusal {
    fn from(error: DatabaseError) -> Self {
        if error.is_transient() { Self::unavailable(&error) } else { Self::internal(&error) }
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        UseCaseError::from(error).into()
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Cursor(error) => Self::invalid_field("cursor", error.to_string()),
            QueryError::Database(error) => error.into(),
        }
    }
}

impl From<ReadingError> for Refusal {
    fn from(error: ReadingError) -> Self {
        match error {
            ReadingError::Refused(error) => error.into(),
            ReadingError::Query(error) => error.into(),
            ReadingError::ViewBehind => Self::view_behind(),
        }
    }
}

fn of_conversation(refusal: ConversationError) -> Refusal {
    match refusal {
        ConversationError::NotStarted => Refusal::not_found("conversation"),
        ConversationError::AlreadyStarted => Refusal::of(Code::AlreadyStarted, &refusal),
        ConversationError::ChatClosed => Refusal::of(Code::ChatClosed, &refusal),
        ConversationError::ChatOpen => Refusal::of(Code::ChatOpen, &refusal),
        ConversationError::TooManyThreads => Refusal::of(Code::TooManyThreads, &refusal),
        ConversationError::AlreadyAssigned => Refusal::of(Code::AlreadyAssigned, &refusal),
    }
}

fn of_thread(refusal: ThreadError) -> Refusal {
    match refusal {
        ThreadError::NotStarted => Refusal::not_found("thread"),
        ThreadError::AlreadyStarted => Refusal::of(Code::AlreadyStarted, &refusal),
        ThreadError::ThreadClosed => Refusal::of(Code::ChatClosed, &refusal),
        ThreadError::NotAParticipant => Refusal::of(Code::Forbidden, &refusal),
    }
}

fn of_agent(refusal: AgentError) -> Refusal {
    match refusal {
        AgentError::NotRegistered => Refusal::not_found("agent"),
        AgentError::AlreadyRegistered => Refusal::of(Code::AlreadyRegistered, &refusal),
        AgentError::AtCapacity => Refusal::of(Code::AgentAtCapacity, &refusal),
        AgentError::NotAvailable => Refusal::of(Code::AgentNotAvailable, &refusal),
    }
}
