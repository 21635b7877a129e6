use std::sync::Arc;
use std::time::Duration;

use domain::agent::{Agent, Role};
use domain::ids::{AgentId, EntityId, SessionId};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::command_bus::CommandBus;
use crate::ports::{Hash, Session, SessionStore, TokenIssuer};
use crate::{InstallationKey, UseCaseError};

/// How long a session stays open without use.
const SESSION_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long after a renewal its refresh token gives the same new one again: the answer may have been lost, and several tabs
/// of one client renew at the same moment.
pub const RENEWAL_GRACE: Duration = Duration::from_secs(60);

/// Opens, renews and ends sessions of agents.
#[derive(Clone)]
pub struct Sessions {
    /// Reads the agents.
    pub bus: CommandBus,
    /// Keeps the sessions.
    pub store: Arc<dyn SessionStore>,
    /// Signs the access tokens.
    pub tokens: Arc<dyn TokenIssuer>,
    /// Makes refresh tokens out of those before them: a secret of the installation, the same on every node.
    pub renewal_key: InstallationKey,
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
    /// (RFC 9700 §4.14.2). Within `RENEWAL_GRACE` it gives the same new refresh token again instead.
    ///
    /// # Errors
    /// [`UseCaseError::SessionEnded`], or why it could not be renewed.
    pub async fn renew(&self, refresh_token: &str) -> Result<TokenPair, UseCaseError> {
        let now = self.bus.now();
        let (id, secret) = parse(refresh_token).ok_or(UseCaseError::SessionEnded)?;
        let known = self.store.find_open(id, now).await?.ok_or(UseCaseError::SessionEnded)?;
        let agent = self.bus.read::<Agent>(known.agent_id).await?;
        let next = self.next_secret(id, secret);
        let renewed = match agent.is_present() {
            true => self.rotate(known, secret, &next).await?,
            false => None,
        };
        match renewed {
            Some(session) => Ok(self.pair(&session, agent.role, next)),
            None => {
                self.store.end(id, now).await?;
                Err(UseCaseError::SessionEnded)
            }
        }
    }

    /// The session with its next refresh token, whether this call or one just before has renewed it.
    async fn rotate(&self, known: Session, secret: &str, next: &str) -> Result<Option<Session>, UseCaseError> {
        let now = self.bus.now();
        let new = Session { refresh_hash: hash(next), expires_at: now.plus(SESSION_LIFETIME), ..known };
        let is_the_valid_one = known.refresh_hash == hash(secret);
        if is_the_valid_one && self.store.rotate(&known, &new).await? {
            return Ok(Some(new));
        }
        // Another request with the same token may have been faster.
        let present = if is_the_valid_one { self.store.find_open(known.id, now).await? } else { Some(known) };
        let renewed_at = |session: &Session| session.expires_at.minus(SESSION_LIFETIME);
        let is_repeated = |session: &Session| {
            session.refresh_hash == new.refresh_hash && now <= renewed_at(session).plus(RENEWAL_GRACE)
        };
        Ok(present.filter(is_repeated))
    }

    /// The secret that follows another one of a session, so that a repeated renewal gives it again. Without the key, nobody
    /// can distinguish it from the one before.
    fn next_secret(&self, id: SessionId, secret: &str) -> String {
        let next = self.renewal_key.digest(&[id.uuid().as_bytes(), secret.as_bytes()]);
        next.iter().map(|byte| format!("{byte:02x}")).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Company;

    async fn log_in(company: &Company) -> TokenPair {
        company.accounts.sessions.open(company.admin_id, Role::Admin).await.unwrap()
    }

    async fn renew(company: &Company, token: &str) -> Result<String, UseCaseError> {
        company.accounts.sessions.renew(token).await.map(|pair| pair.refresh_token)
    }

    #[tokio::test]
    async fn renewal_that_a_network_repeats_gives_the_same_token() {
        let company = Company::open().await;
        let first = log_in(&company).await.refresh_token;
        let second = renew(&company, &first).await.unwrap();
        assert_ne!(second, first);
        company.clock.pass(59);
        assert_eq!(renew(&company, &first).await.unwrap(), second);
        assert_ne!(renew(&company, &second).await.unwrap(), second);
    }

    #[tokio::test]
    async fn renewals_at_the_same_moment_give_the_same_token() {
        let company = Company::open().await;
        let first = log_in(&company).await.refresh_token;
        let all = futures::future::join_all((0..8).map(|_| renew(&company, &first))).await;
        let tokens: std::collections::BTreeSet<_> = all.into_iter().map(Result::unwrap).collect();
        assert_eq!(tokens.len(), 1);
    }

    #[tokio::test]
    async fn token_that_is_used_again_later_ends_the_session() {
        let company = Company::open().await;
        let first = log_in(&company).await.refresh_token;
        let second = renew(&company, &first).await.unwrap();
        company.clock.pass(61);
        for token in [&first, &second] {
            assert!(matches!(renew(&company, token).await, Err(UseCaseError::SessionEnded)));
        }
    }

    #[tokio::test]
    async fn token_of_two_renewals_ago_ends_the_session() {
        let company = Company::open().await;
        let first = log_in(&company).await.refresh_token;
        let third = renew(&company, &renew(&company, &first).await.unwrap()).await.unwrap();
        for token in [&first, &third] {
            assert!(matches!(renew(&company, token).await, Err(UseCaseError::SessionEnded)));
        }
    }

    #[tokio::test]
    async fn forged_token_ends_the_session() {
        let company = Company::open().await;
        let first = log_in(&company).await.refresh_token;
        let (id, _) = first.split_once('.').unwrap();
        for token in [&format!("{id}.{}", "0".repeat(64)), &first] {
            assert!(matches!(renew(&company, token).await, Err(UseCaseError::SessionEnded)));
        }
    }
}
