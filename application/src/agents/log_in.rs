use std::sync::Arc;

use domain::agent::{Agent, EmailClaim};
use domain::ids::{AgentId, EmailClaimId};
use domain::text::EmailAddress;

use crate::UseCaseError;
use crate::command_bus::CommandBus;
use crate::ports::{CredentialStore, PasswordHasher, PasswordMatch, TokenIssuer};

/// Lets agents in.
#[derive(Clone)]
pub struct LogIn {
    /// Knows the agents.
    pub bus: CommandBus,
    /// Knows the hashes.
    pub credentials: Arc<dyn CredentialStore>,
    /// Compares with them.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Signs the tokens.
    pub tokens: Arc<dyn TokenIssuer>,
}

/// An agent who was let in.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// Who.
    pub agent_id: AgentId,
    /// Their state.
    pub agent: Arc<Agent>,
    /// Their token.
    pub access_token: String,
    /// How long it is valid, in seconds.
    pub expires_in: i64,
}

impl LogIn {
    /// Checks an address and a password. An unknown address takes as long as a wrong password and gets the same answer.
    ///
    /// # Errors
    /// [`UseCaseError::WrongCredentials`], or why the check could not be made.
    pub async fn log_in(&self, email: &EmailAddress, password: &str) -> Result<LoggedIn, UseCaseError> {
        let found = self.find(email).await?;
        let hash = match &found {
            Some((agent_id, _)) => self.credentials.find_hash(*agent_id).await?,
            None => None,
        };
        let matched = self.hasher.verify(password, hash.as_deref()).await?;
        let Some((agent_id, agent)) = found else { return Err(UseCaseError::WrongCredentials) };
        let now = self.bus.now();
        match matched {
            PasswordMatch::No => return Err(UseCaseError::WrongCredentials),
            PasswordMatch::Yes => {}
            PasswordMatch::YesRehashed(hash) => self.credentials.save_hash(agent_id, &hash, now).await?,
        }
        let access_token = self.tokens.issue_agent(agent_id, agent.role, now);
        let expires_in = self.tokens.agent_lifetime_seconds();
        Ok(LoggedIn { agent_id, agent, access_token, expires_in })
    }

    async fn find(&self, email: &EmailAddress) -> Result<Option<(AgentId, Arc<Agent>)>, UseCaseError> {
        let claim = self.bus.read::<EmailClaim>(EmailClaimId::of(email)).await?;
        let Some(agent_id) = claim.agent_id else { return Ok(None) };
        let agent = self.bus.read::<Agent>(agent_id).await?;
        Ok(agent.is_present().then_some((agent_id, agent)))
    }
}
