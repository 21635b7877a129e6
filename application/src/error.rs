use domain::agent::{AgentError, EmailClaimError};
use domain::conversation::ConversationError;
use domain::group::GroupError;
use domain::ids::CommandId;
use domain::tag::{TagError, TagNameClaimError};
use domain::thread::ThreadError;
use domain::visitor::VisitorError;
use domain::workspace::WorkspaceError;

use crate::ports::{AppendError, HashError, RateLimit, ReadError, StoreError};

/// Kinds of things that a request can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    Conversation,
    Thread,
    Agent,
    Group,
    /// An agent in a group.
    Member,
    Tag,
    Visitor,
}

impl Entity {
    /// As in error details.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Thread => "thread",
            Self::Agent => "agent",
            Self::Group => "group",
            Self::Member => "member of the group",
            Self::Tag => "tag",
            Self::Visitor => "visitor",
        }
    }
}

/// Why a use case was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum UseCaseError {
    /// The thing does not exist, or the caller may not know that it does.
    #[error("the {} does not exist", .0.as_str())]
    NotFound(Entity),
    /// The caller lacks the right; the text names the missing one.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// The request names a thing that does not exist.
    #[error("the {} does not exist", .entity.as_str())]
    UnknownReference {
        /// The request's field.
        field: &'static str,
        /// The kind of the missing thing.
        entity: Entity,
    },
    /// Too many attempts: the caller must wait until the window ends.
    #[error("too many attempts; try again in {} seconds", .0.reset_seconds)]
    RateLimited(RateLimit),
    /// The password that an agent gave as the current one is wrong. The agent's token is valid.
    #[error("the current password is wrong")]
    WrongCurrentPassword,
    /// Wrong address or password. It never says which: a caller must not learn which addresses exist.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// Ended by log-out, expiry, a new password, or a refresh token that was used twice.
    #[error("the session has ended")]
    SessionEnded,
    /// The caller's session has ended, the account was deleted or the visitor's data erased since the request came.
    #[error("the session or the account of the caller has ended")]
    CallerGone,
    /// The id of an earlier command was sent with another request.
    #[error("this idempotency key was used for another request")]
    CommandReused,
    /// The chat that this command started was erased with the visitor's personal data.
    #[error("the chat that was started with this idempotency key was erased")]
    ChatErased,
    /// The log's record of this command names events that are not its own, so that nothing can be answered from it.
    #[error("the record of command {command_id} names events of other commands")]
    ForeignRecord { command_id: CommandId },
    /// Other commands kept changing the same streams.
    #[error("too many requests change this resource at the same time")]
    Contended,
    #[error(transparent)]
    Conversation(#[from] ConversationError),
    #[error(transparent)]
    Thread(#[from] ThreadError),
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error(transparent)]
    Visitor(#[from] VisitorError),
    #[error(transparent)]
    Group(#[from] GroupError),
    #[error(transparent)]
    Tag(#[from] TagError),
    #[error(transparent)]
    EmailClaim(#[from] EmailClaimError),
    #[error(transparent)]
    TagNameClaim(#[from] TagNameClaimError),
    /// The resource is not at the version in `If-Match`.
    #[error("the resource is at version {current} now")]
    VersionMoved {
        /// The present version.
        current: i64,
    },
    /// The workspace needs a default group.
    #[error("the default group cannot be deleted or demoted; make another group the default")]
    DefaultGroup,
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The log refused the append or could not be reached.
    #[error("event log refused the append")]
    Append(#[source] AppendError),
    #[error("event log could not be read")]
    Read(#[from] ReadError),
    /// A store other than the log failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed or checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// An event or a snapshot could not be converted from or to JSON.
    #[error("event could not be serialised")]
    Serialisation(#[from] serde_json::Error),
    /// The command's task panicked or was cancelled.
    #[error("command ended without an answer")]
    Aborted,
}

impl UseCaseError {
    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Contended
            | Self::Append(AppendError::Unavailable { .. })
            | Self::Read(ReadError::Unavailable { .. })
            | Self::Store(_)
            | Self::Hash(HashError::Busy) => true,
            Self::NotFound(_)
            | Self::Forbidden(_)
            | Self::UnknownReference { .. }
            | Self::RateLimited(_)
            | Self::WrongCurrentPassword
            | Self::WrongCredentials
            | Self::SessionEnded
            | Self::CallerGone
            | Self::CommandReused
            | Self::ForeignRecord { .. }
            | Self::ChatErased
            | Self::Conversation(_)
            | Self::Thread(_)
            | Self::Agent(_)
            | Self::Visitor(_)
            | Self::Group(_)
            | Self::Tag(_)
            | Self::EmailClaim(_)
            | Self::TagNameClaim(_)
            | Self::VersionMoved { .. }
            | Self::DefaultGroup
            | Self::Workspace(_)
            | Self::Append(_)
            | Self::Read(_)
            | Self::Hash(_)
            | Self::Serialisation(_)
            | Self::Aborted => false,
        }
    }
}
