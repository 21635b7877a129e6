use domain::agent::{AgentError, EmailClaimError};
use domain::conversation::ConversationError;
use domain::group::GroupError;
use domain::tag::{TagError, TagNameClaimError};
use domain::thread::ThreadError;
use domain::visitor::VisitorError;
use domain::workspace::WorkspaceError;

use crate::ports::{AppendError, HashError, RateLimit, ReadError, StoreError};

/// Kinds of things that a caller can name.
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
    /// The word for it.
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

/// Why a use case did not happen.
#[derive(Debug, thiserror::Error)]
pub enum UseCaseError {
    /// There is no such thing, or the caller may not know of it.
    #[error("the {} does not exist", .0.as_str())]
    NotFound(Entity),
    /// The caller may not do this.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// The request names a thing that does not exist.
    #[error("the {} does not exist", .entity.as_str())]
    UnknownReference {
        /// The field that names it.
        field: &'static str,
        /// What it names.
        entity: Entity,
    },
    /// Too many attempts: the caller has to wait until the window ends.
    #[error("too many attempts; try again in {} seconds", .0.reset_seconds)]
    RateLimited(RateLimit),
    /// The password that an agent gave as the current one is wrong. The agent's token is valid.
    #[error("the current password is wrong")]
    WrongCurrentPassword,
    /// Wrong address or password; it never says which.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// The session has ended: by log-out, expiry, another password or a refresh token that was used twice.
    #[error("the session has ended")]
    SessionEnded,
    /// The id of an earlier command came with another request.
    #[error("this idempotency key was used for another request")]
    CommandReused,
    /// The chat that the first request with this id began was erased with its visitor's personal data.
    #[error("the chat that was started with this idempotency key was erased")]
    ChatErased,
    /// Others changed the same things too often at the same time.
    #[error("too many changes to the same thing at the same time")]
    Contended,
    /// A conversation's refusal.
    #[error(transparent)]
    Conversation(#[from] ConversationError),
    /// A thread's refusal.
    #[error(transparent)]
    Thread(#[from] ThreadError),
    /// An agent's refusal.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// A visitor's refusal.
    #[error(transparent)]
    Visitor(#[from] VisitorError),
    /// A group's refusal.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// A tag's refusal.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The refusal of the claim on an address.
    #[error(transparent)]
    EmailClaim(#[from] EmailClaimError),
    /// The refusal of the claim on a tag's name.
    #[error(transparent)]
    TagNameClaim(#[from] TagNameClaimError),
    /// The resource is not in the version that the caller knows.
    #[error("the resource is at version {current} now")]
    VersionMoved {
        /// Its version.
        current: i64,
    },
    /// The default group must stay.
    #[error("the default group cannot be deleted or demoted; make another group the default")]
    DefaultGroup,
    /// The workspace's refusal.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The log did not take the events.
    #[error("event log refused the append")]
    Append(#[source] AppendError),
    /// The log could not be read.
    #[error("event log could not be read")]
    Read(#[from] ReadError),
    /// A store beside the log did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Passwords could not be hashed or checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// An event or a snapshot could not be written as JSON.
    #[error("event could not be serialised")]
    Serialisation(#[from] serde_json::Error),
    /// The task of a command ended without an answer.
    #[error("command ended without an answer")]
    Aborted,
}

impl UseCaseError {
    /// Whether the caller did nothing wrong and may try again later.
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
            | Self::CommandReused
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
