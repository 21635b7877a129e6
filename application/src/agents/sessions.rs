use std::sync::Arc;
use std::time::Duration;

use domain::agent::{Agent, Role};
use domain::ids::{AgentId, EntityId, SessionId};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::UseCaseError;
use crate::command_bus::CommandBus;
use crate::ports::{Hash, Session, SessionStore, TokenIssuer};

/// How long a session stays open without use.
const SESSION_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// Opens, renews and ends sessions of agents.
#[derive(Clone)]
pub struct Sessions {
    /// Reads the agents.
    pub bus: CommandBus,
    /// Keeps the sessions.
    pub store: Arc<dyn SessionStore>,
    /// Signs the access tokens.
    pub tokens: Arc<dyn TokenIssuer>,
}

/// The tokens of a session. Each refresh token is good for one renewal.
#[derive(Clone)]
pub struct TokenPair {
    pub agent_id: AgentId,
    /// The session of both tokens.
    pub session_id: SessionId,
    /// Authenticates requests.
    pub access_token: String,
    /// How many seconds the access token is valid.
    pub expires_in: i64,
    /// Renews the session once.
    pub refresh_token: String,
}

impl Sessions {
    /// Opens a session for an agent who has logged in.
    ///
    /// # Errors
    /// When the store does not work.
    pub async fn open(&self, agent_id: AgentId, role: Role) -> Result<TokenPair, UseCaseError> {
        let (session, secret) = self.session(SessionId::new(self.bus.new_uuid()), agent_id);
        self.store.begin(&session).await?;
        Ok(self.pair(&session, role, secret))
    }

    /// Renews a session. A refresh token that was used before ends the session: one of its two users has stolen it
    /// (RFC 9700 §4.14.2).
    ///
    /// # Errors
    /// [`UseCaseError::SessionEnded`], or why it could not be renewed.
    pub async fn renew(&self, refresh_token: &str) -> Result<TokenPair, UseCaseError> {
        let now = self.bus.now();
        let (id, secret) = parse(refresh_token).ok_or(UseCaseError::SessionEnded)?;
        let old = self.store.find_open(id, now).await?.ok_or(UseCaseError::SessionEnded)?;
        let agent = self.bus.read::<Agent>(old.agent_id).await?;
        let (new, new_secret) = self.session(id, old.agent_id);
        let is_the_valid_one = old.refresh_hash == hash(secret);
        if !is_the_valid_one || !agent.is_present() || !self.store.rotate(&old, &new).await? {
            self.store.end(id, now).await?;
            return Err(UseCaseError::SessionEnded);
        }
        Ok(self.pair(&new, agent.role, new_secret))
    }

    /// Whether a session is this agent's and has neither ended nor expired.
    ///
    /// # Errors
    /// When the store does not work.
    pub async fn is_open(&self, id: SessionId, agent_id: AgentId) -> Result<bool, UseCaseError> {
        let found = self.store.find_open(id, self.bus.now()).await?;
        Ok(found.is_some_and(|session| session.agent_id == agent_id))
    }

    /// Whether a session has ended or expired, or never was.
    ///
    /// # Errors
    /// When the store does not work.
    pub async fn has_ended(&self, id: SessionId) -> Result<bool, UseCaseError> {
        Ok(self.store.find_open(id, self.bus.now()).await?.is_none())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the store does not work.
    pub async fn end(&self, id: SessionId) -> Result<(), UseCaseError> {
        Ok(self.store.end(id, self.bus.now()).await?)
    }

    /// Ends all sessions of an agent but one.
    ///
    /// # Errors
    /// When the store does not work.
    pub async fn end_others(&self, agent: AgentId, but: Option<SessionId>) -> Result<(), UseCaseError> {
        Ok(self.store.end_others(agent, but, self.bus.now()).await?)
    }

    fn session(&self, id: SessionId, agent_id: AgentId) -> (Session, String) {
        // Two ids hold 148 random bits.
        let secret = format!("{}{}", self.bus.new_uuid().simple(), self.bus.new_uuid().simple());
        let expires_at = self.bus.now().plus(SESSION_LIFETIME);
        (Session { id, agent_id, refresh_hash: hash(&secret), expires_at }, secret)
    }

    fn pair(&self, session: &Session, role: Role, secret: String) -> TokenPair {
        TokenPair {
            agent_id: session.agent_id,
            session_id: session.id,
            access_token: self.tokens.issue_agent(session.agent_id, role, session.id, self.bus.now()),
            expires_in: self.tokens.agent_lifetime_seconds(),
            refresh_token: format!("{}.{secret}", session.id.uuid().simple()),
        }
    }
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Tokens must not reach a log by accident.
        f.debug_struct("TokenPair").field("agent_id", &self.agent_id).finish_non_exhaustive()
    }
}

fn parse(refresh_token: &str) -> Option<(SessionId, &str)> {
    let (id, secret) = refresh_token.split_once('.')?;
    Some((SessionId::new(Uuid::try_parse(id).ok()?), secret))
}

fn hash(secret: &str) -> Hash {
    Sha256::digest(secret).into()
}
