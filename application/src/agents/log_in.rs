use std::sync::Arc;

use domain::agent::{Agent, EmailClaim, GivenPassword, NewPassword, Role};
use domain::ids::{AgentId, EmailClaimId, SessionId};
use domain::text::EmailAddress;

use super::brake::GuessingBrake;
use super::change_password::NotePasswordChange;
use super::sessions::{Sessions, TokenPair};
use crate::UseCaseError;
use crate::command_bus::{CommandBus, CommandContext, Executed};
use crate::error::Entity;
use crate::ports::{CredentialStore, PasswordHasher, PasswordMatch, Principal};

/// How often a password is checked again because another one was stored in the meantime.
const MAX_CHECKS: u32 = 3;

/// Checks and changes the passwords of agents, and opens their sessions.
#[derive(Clone)]
pub struct LogIn {
    /// Reads the agents.
    pub bus: CommandBus,
    /// Keeps the hashes of their passwords.
    pub credentials: Arc<dyn CredentialStore>,
    /// Compares passwords with the hashes.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Opens the sessions.
    pub sessions: Sessions,
    /// Keeps passwords from being guessed.
    pub brake: GuessingBrake,
}

/// An agent who has logged in.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    pub agent_id: AgentId,
    /// The agent's state.
    pub agent: Arc<Agent>,
    /// The tokens of the new session.
    pub tokens: TokenPair,
}

/// An agent's wish for another password.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    pub agent_id: AgentId,
    /// The session that goes on; all others end.
    pub session: Option<SessionId>,
    /// The password until now.
    pub current: GivenPassword,
    /// The password from now on.
    pub new: NewPassword,
}

/// A password that was right a moment ago.
struct CheckedPassword {
    agent_id: AgentId,
    agent: Arc<Agent>,
    /// The stored hash that it fits.
    hash: Option<String>,
}

impl LogIn {
    /// Checks an address and a password, and opens a session. An unknown address takes as long as a wrong password and
    /// gets the same answer. `client` is the network address of the client.
    ///
    /// # Errors
    /// [`UseCaseError::WrongCredentials`], [`UseCaseError::RateLimited`] after too many of them, or why the check could
    /// not be made.
    pub async fn log_in(
        &self,
        email: &EmailAddress,
        password: &GivenPassword,
        client: &str,
    ) -> Result<LoggedIn, UseCaseError> {
        let attempt = self.brake.begin(email, client).await?;
        let outcome = self.check(email, password).await;
        attempt.end(&outcome).await;
        outcome
    }

    /// The check of a password takes long enough for the password to be replaced, and for the sessions that were open then
    /// to be ended, before this one is opened. Hence another look after it was.
    async fn check(&self, email: &EmailAddress, password: &GivenPassword) -> Result<LoggedIn, UseCaseError> {
        for _ in 0..MAX_CHECKS {
            let checked = self.check_password(email, password).await?;
            let tokens = self.sessions.open(checked.agent_id, checked.agent.role).await?;
            if self.still_holds(email, &checked).await? {
                return Ok(LoggedIn { agent_id: checked.agent_id, agent: checked.agent, tokens });
            }
            self.sessions.end(tokens.session_id).await?;
        }
        Err(UseCaseError::Contended)
    }

    async fn still_holds(&self, email: &EmailAddress, checked: &CheckedPassword) -> Result<bool, UseCaseError> {
        let agent_id = self.find(email).await?.map(|(agent_id, _)| agent_id);
        let hash = self.credentials.find_hash(checked.agent_id).await?;
        Ok(agent_id == Some(checked.agent_id) && hash == checked.hash)
    }

    async fn check_password(
        &self,
        email: &EmailAddress,
        password: &GivenPassword,
    ) -> Result<CheckedPassword, UseCaseError> {
        let found = self.find(email).await?;
        let hash = match &found {
            Some((agent_id, _)) => self.credentials.find_hash(*agent_id).await?,
            None => None,
        };
        let matched = self.hasher.verify(password.as_str(), hash.as_deref()).await?;
        let Some((agent_id, agent)) = found else { return Err(UseCaseError::WrongCredentials) };
        let hash = match matched {
            PasswordMatch::No => return Err(UseCaseError::WrongCredentials),
            PasswordMatch::Yes => hash,
            PasswordMatch::YesRehashed(better) => {
                let stored = hash.as_deref().unwrap_or_default();
                let replaced = self.credentials.replace_hash(agent_id, stored, &better, self.bus.now()).await?;
                if replaced { Some(better) } else { hash }
            }
        };
        Ok(CheckedPassword { agent_id, agent, hash })
    }

    /// Changes an agent's password and ends the agent's other sessions. `client` is the network address of the client.
    ///
    /// # Errors
    /// [`UseCaseError::WrongCurrentPassword`], [`UseCaseError::RateLimited`] after too many of them, or why the password
    /// could not be changed.
    pub async fn change_password(
        &self,
        context: CommandContext,
        change: PasswordChange,
        client: &str,
    ) -> Result<Executed<()>, UseCaseError> {
        let agent = self.bus.read::<Agent>(change.agent_id).await?;
        let email = agent.email.as_ref().ok_or(UseCaseError::NotFound(Entity::Agent))?;
        // A thief of a token must not guess the password faster than anybody without one.
        let attempt = self.brake.begin(email, client).await?;
        let outcome = self.change_after_check(context, &change).await;
        attempt.end(&outcome).await;
        outcome
    }

    async fn change_after_check(
        &self,
        context: CommandContext,
        change: &PasswordChange,
    ) -> Result<Executed<()>, UseCaseError> {
        let new = self.hasher.hash(change.new.as_str()).await?;
        for _ in 0..MAX_CHECKS {
            let stored = self.credentials.find_hash(change.agent_id).await?.unwrap_or_default();
            if self.hasher.verify(change.current.as_str(), Some(&stored)).await? == PasswordMatch::No {
                return Err(UseCaseError::WrongCurrentPassword);
            }
            // A password that somebody else has set in the meantime must not be undone.
            self.bus.ensure_authority(&context).await?;
            if self.credentials.replace_hash(change.agent_id, &stored, &new, self.bus.now()).await? {
                return self.end_sessions(context, (change.agent_id, change.session)).await;
            }
        }
        Err(UseCaseError::Contended)
    }

    /// Gives the agent with this address another password and ends all sessions of the agent, for an operator. `false`:
    /// no agent has the address.
    ///
    /// # Errors
    /// Why the password could not be changed.
    pub async fn reset_password(
        &self,
        context: CommandContext,
        email: &EmailAddress,
        new: &NewPassword,
    ) -> Result<bool, UseCaseError> {
        let Some((agent_id, _)) = self.find(email).await? else { return Ok(false) };
        let hash = self.hasher.hash(new.as_str()).await?;
        self.credentials.save_hash(agent_id, &hash, self.bus.now()).await?;
        self.end_sessions(context, (agent_id, None)).await?;
        Ok(true)
    }

    /// An admin gives another agent a password, and ends all sessions of the agent. Their own password admins change with
    /// the current one: a stolen token must not be enough for it.
    ///
    /// # Errors
    /// [`UseCaseError::Forbidden`] for others and for oneself, [`Entity::Agent`] is not found, or why the password could not be set.
    pub async fn reset_password_of(
        &self,
        context: CommandContext,
        principal: Principal,
        (agent_id, new): (AgentId, &NewPassword),
    ) -> Result<Executed<()>, UseCaseError> {
        match principal {
            Principal::Agent { id, role: Role::Admin } if id != agent_id => {}
            Principal::Agent { .. } | Principal::Visitor { .. } => {
                return Err(UseCaseError::Forbidden("only admins may set a password, and only that of another agent"));
            }
        }
        let agent = self.bus.read::<Agent>(agent_id).await?;
        if !agent.is_present() {
            return Err(UseCaseError::NotFound(Entity::Agent));
        }
        let hash = self.hasher.hash(new.as_str()).await?;
        self.bus.ensure_authority(&context).await?;
        self.credentials.save_hash(agent_id, &hash, self.bus.now()).await?;
        self.end_sessions(context, (agent_id, None)).await
    }

    /// All sessions but the given one end with the old password.
    async fn end_sessions(
        &self,
        context: CommandContext,
        (agent_id, session): (AgentId, Option<SessionId>),
    ) -> Result<Executed<()>, UseCaseError> {
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::agents::FailureRates;
    use crate::ports::HashError;
    use crate::testing::{ADMIN, Company, CountingLimiter, password};

    fn given(text: &str) -> GivenPassword {
        GivenPassword::parse(text).unwrap()
    }

    fn admin() -> EmailAddress {
        EmailAddress::parse(ADMIN).unwrap()
    }

    fn change(company: &Company, current: &str, session: Option<SessionId>) -> PasswordChange {
        PasswordChange { agent_id: company.admin_id, session, current: given(current), new: password("another one") }
    }

    #[tokio::test]
    async fn right_password_opens_a_session_and_counts_as_no_failure() {
        let (company, limiter) = (Company::open().await, Arc::new(CountingLimiter::default()));
        let log_in = company.log_in(Some(limiter.clone()));
        let logged_in = log_in.log_in(&admin(), &given("the first admin's"), "192.0.2.1").await.unwrap();
        assert_eq!(logged_in.agent_id, company.admin_id);
        assert_eq!(company.sessions.open_of(company.admin_id), 1);
        assert!(limiter.counts().is_empty(), "{:?}", limiter.counts());
    }

    #[tokio::test]
    async fn unknown_address_and_wrong_password_get_the_same_answer_and_count() {
        let (company, limiter) = (Company::open().await, Arc::new(CountingLimiter::default()));
        let log_in = company.log_in(Some(limiter.clone()));
        for email in [admin(), EmailAddress::parse("nobody@example.com").unwrap()] {
            let refused = log_in.log_in(&email, &given("wrong"), "192.0.2.1").await;
            assert!(matches!(refused, Err(UseCaseError::WrongCredentials)), "{refused:?}");
        }
        assert_eq!(limiter.counts()["failed-log-ins-from-address:192.0.2.1"], 2);
        assert_eq!(company.sessions.open_of(company.admin_id), 0);
    }

    #[tokio::test]
    async fn after_too_many_failures_even_the_right_password_is_refused_from_that_address() {
        let (company, limiter) = (Company::open().await, Arc::new(CountingLimiter::default()));
        let log_in = company.log_in(Some(limiter.clone()));
        for _ in 0..FailureRates::default().of_both.times {
            log_in.log_in(&admin(), &given("wrong"), "192.0.2.1").await.unwrap_err();
        }
        let counted = limiter.counts();
        let refused = log_in.log_in(&admin(), &given("the first admin's"), "192.0.2.1").await;
        assert!(matches!(refused, Err(UseCaseError::RateLimited(_))), "{refused:?}");
        assert_eq!(limiter.counts(), counted, "a refused attempt must not count");
        log_in.log_in(&admin(), &given("the first admin's"), "192.0.2.2").await.unwrap();
    }

    #[tokio::test]
    async fn guesses_through_the_change_of_a_password_count_like_log_ins() {
        let (company, limiter) = (Company::open().await, Arc::new(CountingLimiter::default()));
        let log_in = company.log_in(Some(limiter));
        for _ in 0..FailureRates::default().of_both.times {
            let refused = log_in.change_password(company.context(), change(&company, "wrong", None), "192.0.2.1").await;
            assert!(matches!(refused, Err(UseCaseError::WrongCurrentPassword)), "{refused:?}");
        }
        let refused = log_in.log_in(&admin(), &given("the first admin's"), "192.0.2.1").await;
        assert!(matches!(refused, Err(UseCaseError::RateLimited(_))), "{refused:?}");
    }

    #[tokio::test]
    async fn changed_password_ends_the_other_sessions_and_replaces_the_old_one() {
        let (company, limiter) = (Company::open().await, Arc::new(CountingLimiter::default()));
        let log_in = company.log_in(Some(limiter.clone()));
        for _ in 0..2 {
            log_in.log_in(&admin(), &given("the first admin's"), "192.0.2.1").await.unwrap();
        }
        let kept = company.sessions.any_of(company.admin_id);
        let change = change(&company, "the first admin's", Some(kept));
        log_in.change_password(company.context(), change, "192.0.2.1").await.unwrap();
        assert_eq!(company.sessions.open_of(company.admin_id), 1);
        assert!(log_in.sessions.is_open(kept, company.admin_id).await.unwrap());
        assert!(limiter.counts().is_empty());
        log_in.log_in(&admin(), &given("the first admin's"), "192.0.2.1").await.unwrap_err();
        log_in.log_in(&admin(), &given("another one"), "192.0.2.1").await.unwrap();
        assert!(company.log.event_types().contains(&"PasswordChanged".to_owned()));
    }

    /// Replaces the password while it is being checked, once.
    struct Overtaken {
        others: LogIn,
        new: Mutex<Option<&'static str>>,
    }

    #[async_trait]
    impl PasswordHasher for Overtaken {
        async fn hash(&self, password: &str) -> Result<String, HashError> {
            self.others.hasher.hash(password).await
        }

        async fn verify(&self, given: &str, stored: Option<&str>) -> Result<PasswordMatch, HashError> {
            let matched = self.others.hasher.verify(given, stored).await?;
            let new = self.new.lock().unwrap().take();
            if let Some(new) = new {
                let context = self.others.bus.context("system:test".to_owned(), uuid::Uuid::from_u128(1));
                assert!(self.others.reset_password(context, &admin(), &password(new)).await.unwrap());
            }
            Ok(matched)
        }
    }

    fn overtaken(company: &Company, new: &'static str) -> LogIn {
        let others = company.log_in(None);
        let hasher = Overtaken { others: others.clone(), new: Mutex::new(Some(new)) };
        LogIn { hasher: Arc::new(hasher), ..others }
    }

    #[tokio::test]
    async fn log_in_under_way_does_not_survive_the_change_of_the_password() {
        let company = Company::open().await;
        let log_in = overtaken(&company, "another one");
        let refused = log_in.log_in(&admin(), &given("the first admin's"), "192.0.2.1").await;
        assert!(matches!(refused, Err(UseCaseError::WrongCredentials)), "{refused:?}");
        assert_eq!(company.sessions.open_of(company.admin_id), 0);
    }

    #[tokio::test]
    async fn log_in_under_way_goes_on_where_the_same_password_was_stored_again() {
        let company = Company::open().await;
        let log_in = overtaken(&company, "the first admin's");
        log_in.log_in(&admin(), &given("the first admin's"), "192.0.2.1").await.unwrap();
        assert_eq!(company.sessions.open_of(company.admin_id), 1);
    }

    #[tokio::test]
    async fn change_under_way_does_not_undo_the_reset_of_the_password() {
        let company = Company::open().await;
        let log_in = overtaken(&company, "the operator's");
        let refused =
            log_in.change_password(company.context(), change(&company, "the first admin's", None), "192.0.2.1").await;
        assert!(matches!(refused, Err(UseCaseError::WrongCurrentPassword)), "{refused:?}");
        company.log_in(None).log_in(&admin(), &given("the operator's"), "192.0.2.1").await.unwrap();
    }

    #[tokio::test]
    async fn operator_resets_the_password_of_an_address_that_an_agent_has() {
        let company = Company::open().await;
        let log_in = company.log_in(None);
        log_in.log_in(&admin(), &given("the first admin's"), "192.0.2.1").await.unwrap();
        assert!(log_in.reset_password(company.context(), &admin(), &password("another one")).await.unwrap());
        assert_eq!(company.sessions.open_of(company.admin_id), 0);
        log_in.log_in(&admin(), &given("another one"), "192.0.2.1").await.unwrap();
        let nobody = EmailAddress::parse("nobody@example.com").unwrap();
        assert!(!log_in.reset_password(company.context(), &nobody, &password("another one")).await.unwrap());
    }
}
