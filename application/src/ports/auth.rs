//! Passwords and tokens.

use async_trait::async_trait;
use domain::agent::Role;
use domain::ids::{AgentId, SessionId, VisitorId};
use domain::time::Timestamp;

use super::event_log::Hash;
use super::system::StoreError;

/// Hashing did not work.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The stored hash is of no known kind.
    #[error("stored password hash is of no known kind")]
    UnknownHash,
    /// Too many passwords are being checked; try again.
    #[error("too many passwords are being checked")]
    Busy,
    /// The hash function failed.
    #[error("password hashing failed")]
    Failed {
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The outcome of checking a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordMatch {
    /// It is not the password.
    No,
    Yes,
    /// It is, and the stored hash is outdated: store this one instead.
    YesRehashed(String),
}

/// Hashes passwords slowly, on purpose, away from the threads that serve requests.
#[async_trait]
pub trait PasswordHasher: Send + Sync + 'static {
    /// A salted hash with its parameters (PHC string).
    ///
    /// # Errors
    /// See [`HashError`].
    async fn hash(&self, password: &str) -> Result<String, HashError>;

    /// Checks a password. Without a stored hash it takes the same time and says no.
    ///
    /// # Errors
    /// See [`HashError`].
    async fn verify(&self, password: &str, stored: Option<&str>) -> Result<PasswordMatch, HashError>;
}

/// Keeps password hashes, which must never be in the log.
#[async_trait]
pub trait CredentialStore: Send + Sync + 'static {
    /// The hash of an agent's password.
    ///
    /// # Errors
    /// When the store does not work.
    async fn find_hash(&self, agent: AgentId) -> Result<Option<String>, StoreError>;

    /// Sets the hash of an agent's password.
    ///
    /// # Errors
    /// When the store does not work.
    async fn save_hash(&self, agent: AgentId, hash: &str, at: Timestamp) -> Result<(), StoreError>;

    /// Replaces a hash by a better one of the same password, unless the password was changed meanwhile.
    ///
    /// # Errors
    /// When the store does not work.
    async fn replace_hash(&self, agent: AgentId, old: &str, new: &str, at: Timestamp) -> Result<(), StoreError>;

    /// Forgets the hash of an agent who was not registered after all.
    ///
    /// # Errors
    /// When the store does not work.
    async fn remove_hash(&self, agent: AgentId) -> Result<(), StoreError>;
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A logged-in agent.
    Agent { id: AgentId, role: Role },
    /// A visitor with the token of the widget endpoint.
    Visitor { id: VisitorId },
}

impl Principal {
    /// The form in the log's `actor` column.
    #[must_use]
    pub fn actor(&self) -> String {
        match self {
            Self::Agent { id, .. } => format!("agent:{id}"),
            Self::Visitor { id } => format!("visitor:{id}"),
        }
    }
}

/// A token was refused. It never says more: a forger should not learn what was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("token is not valid")]
pub struct TokenError;

/// Issues and checks signed tokens (JWT).
pub trait TokenIssuer: Send + Sync + 'static {
    /// A token for an agent in a session; the time is the moment of issue.
    fn issue_agent(&self, agent: AgentId, role: Role, session: SessionId, at: Timestamp) -> String;

    /// A token for a visitor; the same arguments give the same token.
    fn issue_visitor(&self, visitor: VisitorId, at: Timestamp) -> String;

    /// How long an agent's token is valid, in seconds.
    fn agent_lifetime_seconds(&self) -> i64;

    /// Who a token stands for at the given time.
    ///
    /// # Errors
    /// When it is forged, malformed or expired.
    fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError>;
}

/// What a valid token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who bears it.
    pub principal: Principal,
    /// The session of an agent's token, which may have ended.
    pub session: Option<SessionId>,
}

/// A session that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub agent_id: AgentId,
    /// SHA-256 of the refresh token's secret that is valid now.
    pub refresh_hash: Hash,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// Keeps agents' sessions: one for each log-in, with one valid refresh token at a time.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Begins a session.
    ///
    /// # Errors
    /// When the store does not work.
    async fn begin(&self, session: &Session) -> Result<(), StoreError>;

    /// A session that has neither ended nor expired.
    ///
    /// # Errors
    /// When the store does not work.
    async fn find_open(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, StoreError>;

    /// Replaces the refresh token, unless somebody else was faster. Tells whether it did.
    ///
    /// # Errors
    /// When the store does not work.
    async fn rotate(&self, old: &Session, new: &Session) -> Result<bool, StoreError>;

    /// Ends a session.
    ///
    /// # Errors
    /// When the store does not work.
    async fn end(&self, id: SessionId, now: Timestamp) -> Result<(), StoreError>;

    /// Ends all sessions of an agent but one.
    ///
    /// # Errors
    /// When the store does not work.
    async fn end_others(&self, agent: AgentId, but: Option<SessionId>, now: Timestamp) -> Result<(), StoreError>;
}
