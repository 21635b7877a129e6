//! Passwords, tokens and sessions.

use async_trait::async_trait;
use domain::agent::Role;
use domain::ids::{AgentId, SessionId, VisitorId};
use domain::time::Timestamp;
use uuid::Uuid;

use super::event_log::Hash;
use super::system::StoreError;

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The stored hash has an unknown format.
    #[error("stored password hash is of no known kind")]
    UnknownHash,
    /// Too many passwords are being checked; worth another attempt.
    #[error("too many passwords are being checked")]
    Busy,
    #[error("password hashing failed")]
    Failed {
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The outcome of checking a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordMatch {
    No,
    Yes,
    /// The password matches, but the stored hash is outdated: store this one instead.
    YesRehashed(String),
}

/// Hashes passwords with a slow function, outside the threads that serve requests.
#[async_trait]
pub trait PasswordHasher: Send + Sync + 'static {
    /// Returns a salted hash with its parameters (PHC string).
    ///
    /// # Errors
    /// See [`HashError`].
    async fn hash(&self, password: &str) -> Result<String, HashError>;

    /// Checks a password. Without a stored hash it takes the same time and does not match, so that timing does not
    /// show which addresses exist.
    ///
    /// # Errors
    /// See [`HashError`].
    async fn verify(&self, password: &str, stored: Option<&str>) -> Result<PasswordMatch, HashError>;
}

/// Stores password hashes, which must never be in the log.
#[async_trait]
pub trait CredentialStore: Send + Sync + 'static {
    /// Finds the hash of an agent's password.
    ///
    /// # Errors
    /// If the store fails.
    async fn find_hash(&self, agent: AgentId) -> Result<Option<String>, StoreError>;

    /// Sets the hash of an agent's password.
    ///
    /// # Errors
    /// If the store fails.
    async fn save_hash(&self, agent: AgentId, hash: &str, at: Timestamp) -> Result<(), StoreError>;

    /// Replaces a hash unless it was replaced in the meantime. Returns whether it did.
    ///
    /// # Errors
    /// If the store fails.
    async fn replace_hash(&self, agent: AgentId, old: &str, new: &str, at: Timestamp) -> Result<bool, StoreError>;

    /// Removes the hash of an agent whose registration failed.
    ///
    /// # Errors
    /// If the store fails.
    async fn remove_hash(&self, agent: AgentId) -> Result<(), StoreError>;
}

/// The authenticated caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A logged-in agent.
    Agent { id: AgentId, role: Role },
    /// A visitor with a token of the widget endpoint.
    Visitor { id: VisitorId },
}

impl Principal {
    /// As in the log's `actor` column.
    #[must_use]
    pub fn actor(&self) -> String {
        match self {
            Self::Agent { id, .. } => format!("agent:{id}"),
            Self::Visitor { id } => format!("visitor:{id}"),
        }
    }
}

/// A refused token. It has no details, so that a forger does not learn what was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("token is not valid")]
pub struct TokenError;

/// Issues and checks signed tokens (JWT).
pub trait TokenIssuer: Send + Sync + 'static {
    /// Signs a token for an agent's session, issued at `at`.
    fn issue_agent(&self, agent: AgentId, role: Role, session: SessionId, at: Timestamp) -> String;

    /// Signs a token for a visitor. Equal arguments give equal tokens.
    fn issue_visitor(&self, visitor: VisitorId, at: Timestamp) -> String;

    /// How long an agent's token is valid.
    fn agent_lifetime_seconds(&self) -> i64;

    /// How long a visitor's token is valid.
    fn visitor_lifetime_seconds(&self) -> i64;

    /// Checks a token's signature and expiry.
    ///
    /// # Errors
    /// If the token is forged, malformed or expired.
    fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError>;
}

/// The content of a valid token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    pub principal: Principal,
    /// The session of an agent's token. It may have ended.
    pub session: Option<SessionId>,
    /// The time from which the token is refused.
    pub expires_at: Timestamp,
}

/// An agent's session, from log-in to log-out or expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub agent_id: AgentId,
    /// SHA-256 of the secret in the valid refresh token.
    pub refresh_hash: Hash,
    /// When the session ends without a log-out.
    pub expires_at: Timestamp,
}

/// Stores agents' sessions: one for each log-in, each with one valid refresh token.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Stores a new session.
    ///
    /// # Errors
    /// If the store fails.
    async fn begin(&self, session: &Session) -> Result<(), StoreError>;

    /// Finds a session that has neither ended nor expired.
    ///
    /// # Errors
    /// If the store fails.
    async fn find_open(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, StoreError>;

    /// Replaces the refresh token. Returns false if another request has replaced it first.
    ///
    /// # Errors
    /// If the store fails.
    async fn rotate(&self, old: &Session, new: &Session) -> Result<bool, StoreError>;

    /// Ends a session; its tokens are refused from now on.
    ///
    /// # Errors
    /// If the store fails.
    async fn end(&self, id: SessionId, now: Timestamp) -> Result<(), StoreError>;

    /// Ends all sessions of an agent except one.
    ///
    /// # Errors
    /// If the store fails.
    async fn end_others(&self, agent: AgentId, but: Option<SessionId>, now: Timestamp) -> Result<(), StoreError>;
}

/// A ticket that opens one stream, for clients that cannot send a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamTicket {
    /// SHA-256 of the words that the client has.
    pub id: Hash,
    pub holder: TicketHolder,
    /// The time until which it must be used first.
    pub use_by: Timestamp,
    /// The time from which it is refused.
    pub ends_at: Timestamp,
}

/// The reader that a ticket was issued to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketHolder {
    Agent { id: AgentId, session: SessionId },
    Visitor { id: VisitorId },
}

/// Stores tickets, for all nodes.
#[async_trait]
pub trait TicketStore: Send + Sync + 'static {
    /// Stores a new ticket.
    ///
    /// # Errors
    /// If the store fails.
    async fn issue(&self, ticket: &StreamTicket) -> Result<(), StoreError>;

    /// Gives a ticket to a connection, and takes it from the one that had it. `None` if there is no such ticket, it has ended,
    /// or its first use comes too late.
    ///
    /// # Errors
    /// If the store fails.
    async fn take(&self, id: Hash, connection: Uuid, now: Timestamp) -> Result<Option<StreamTicket>, StoreError>;

    /// Those of these connections that do not have their ticket any more.
    ///
    /// # Errors
    /// If the store fails.
    async fn list_lost(&self, held: &[(Hash, Uuid)]) -> Result<Vec<Uuid>, StoreError>;
}
