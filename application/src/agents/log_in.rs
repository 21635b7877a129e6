use std::sync::Arc;

use domain::agent::{Agent, EmailClaim};
use domain::ids::{AgentId, EmailClaimId, SessionId};
use domain::text::EmailAddress;

use super::change_password::NotePasswordChange;
use super::sessions::{Sessions, TokenPair};
use crate::UseCaseError;
use crate::command_bus::{CommandBus, CommandContext, Executed};
use crate::ports::{CredentialStore, PasswordHasher, PasswordMatch};

/// Lets agents in.
#[derive(Clone)]
pub struct LogIn {
    /// Knows the agents.
    pub bus: CommandBus,
    /// Knows the hashes.
    pub credentials: Arc<dyn CredentialStore>,
    /// Compares with them.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Opens the sessions.
    pub sessions: Sessions,
}

/// An agent who was let in.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// Who.
    pub agent_id: AgentId,
    /// Their state.
    pub agent: Arc<Agent>,
    /// Their tokens.
    pub tokens: TokenPair,
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
            PasswordMatch::YesRehashed(better) => {
                let stored = hash.as_deref().unwrap_or_default();
                self.credentials.replace_hash(agent_id, stored, &better, now).await?;
            }
        }
        let tokens = self.sessions.open(agent_id, agent.role).await?;
        Ok(LoggedIn { agent_id, agent, tokens })
    }

    /// Gives an agent another password and ends their other sessions.
    ///
    /// # Errors
    /// [`UseCaseError::WrongCredentials`] when the current password is wrong, or why it could not be changed.
    pub async fn change_password(
        &self,
        context: CommandContext,
        agent_id: AgentId,
        session: Option<SessionId>,
        (current, new): (&str, &str),
    ) -> Result<Executed<()>, UseCaseError> {
        let stored = self.credentials.find_hash(agent_id).await?;
        if self.hasher.verify(current, stored.as_deref()).await? == PasswordMatch::No {
            return Err(UseCaseError::WrongCredentials);
        }
        self.set_password(context, agent_id, session, new).await
    }

    /// Gives the agent with this address another password and ends all their sessions, for an operator. `false`: there
    /// is no such agent.
    ///
    /// # Errors
    /// When it could not be changed.
    pub async fn reset_password(
        &self,
        context: CommandContext,
        email: &EmailAddress,
        new: &str,
    ) -> Result<bool, UseCaseError> {
        let Some((agent_id, _)) = self.find(email).await? else { return Ok(false) };
        self.set_password(context, agent_id, None, new).await?;
        Ok(true)
    }

    /// All sessions but this one end.
    async fn set_password(
        &self,
        context: CommandContext,
        agent_id: AgentId,
        session: Option<SessionId>,
        new: &str,
    ) -> Result<Executed<()>, UseCaseError> {
        let hash = self.hasher.hash(new).await?;
        self.credentials.save_hash(agent_id, &hash, self.bus.now()).await?;
        self.sessions.end_others(agent_id, session).await?;
        self.bus.execute(context, NotePasswordChange { agent_id }).await
    }

    async fn find(&self, email: &EmailAddress) -> Result<Option<(AgentId, Arc<Agent>)>, UseCaseError> {
        let claim = self.bus.read::<EmailClaim>(EmailClaimId::of(email)).await?;
        let Some(agent_id) = claim.agent_id else { return Ok(None) };
        let agent = self.bus.read::<Agent>(agent_id).await?;
        Ok(agent.is_present().then_some((agent_id, agent)))
    }
}
