use std::sync::Arc;

use application::agents::{LogIn, LoggedIn, PasswordChange, TokenPair};
use domain::agent::{Agent, GivenPassword, NewPassword};
use domain::ids::AgentId;
use domain::text::EmailAddress;

use super::{Action, Caller, ChangeRequest, Dispatch, Entrance, Refusal};

/// Logs agents in and out and changes their passwords.
#[derive(Clone)]
pub struct AgentSessions {
    log_in: LogIn,
    dispatch: Dispatch,
}

impl AgentSessions {
    /// Opens sessions with this log-in.
    #[must_use]
    pub const fn new(log_in: LogIn, dispatch: Dispatch) -> Self {
        Self { log_in, dispatch }
    }

    /// Logs an agent in.
    ///
    /// # Errors
    /// [`super::Code::WrongCredentials`], [`super::Code::RateLimited`] after too many wrong passwords.
    pub async fn log_in(
        &self,
        entrance: &Entrance,
        email: &EmailAddress,
        password: &GivenPassword,
    ) -> Result<LoggedIn, Refusal> {
        entrance.ensure_for(Action::LogIn)?;
        Ok(self.log_in.log_in(email, password, entrance.address()).await?)
    }

    /// Exchanges a refresh token for new tokens.
    ///
    /// # Errors
    /// [`super::Code::SessionEnded`].
    pub async fn renew(&self, entrance: &Entrance, refresh_token: &str) -> Result<(TokenPair, Arc<Agent>), Refusal> {
        entrance.ensure_for(Action::RenewSession)?;
        let tokens = self.log_in.sessions.renew(refresh_token).await?;
        let agent = self.log_in.bus.read(tokens.agent_id).await?;
        Ok((tokens, agent))
    }

    /// Ends the session of the caller.
    ///
    /// # Errors
    /// [`super::Code::Forbidden`] for visitors, or when the store does not work.
    pub async fn log_out(&self, caller: &Caller) -> Result<(), Refusal> {
        let (_, session) = caller.agent_session()?;
        Ok(self.log_in.sessions.end(session).await?)
    }

    /// Changes the caller's own password. All other sessions of the agent end with it.
    ///
    /// # Errors
    /// [`super::Code::InvalidRequest`] for a wrong current password, [`super::Code::RateLimited`] after too many of them.
    pub async fn change_password(
        &self,
        (entrance, caller): (&Entrance, &Caller),
        request: &ChangeRequest,
        (current, new): (GivenPassword, NewPassword),
    ) -> Result<(), Refusal> {
        let change = PasswordChange { agent_id: caller.agent()?.id, session: caller.session, current, new };
        // Each request checks the password, whatever its key.
        let context = self.dispatch.context(caller, &request.once());
        self.log_in.change_password(context, change, entrance.address()).await?;
        Ok(())
    }

    /// Sets the password of an agent who cannot log in any more, for admins.
    ///
    /// # Errors
    /// [`super::Code::Forbidden`], [`super::Code::NotFound`].
    pub async fn reset_password(
        &self,
        caller: &Caller,
        request: &ChangeRequest,
        (agent_id, new): (AgentId, &NewPassword),
    ) -> Result<(), Refusal> {
        // The same password again is harmless, and no digest of a password is kept.
        let context = self.dispatch.context(caller, &request.once());
        self.log_in.reset_password_of(context, caller.principal, (agent_id, new)).await?;
        Ok(())
    }
}
