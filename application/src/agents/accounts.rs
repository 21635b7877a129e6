use std::sync::Arc;

use domain::agent::{Agent, NewPassword, Registration};
use domain::ids::{AgentId, GroupId};
use domain::text::Name;

use super::{AppointAdmin, Bootstrap, DeleteAgent, RegisterAgent, Sessions};
use crate::UseCaseError;
use crate::command_bus::{CommandBus, CommandContext, Executed, UseCase};
use crate::ports::{CredentialStore, PasswordHasher, Principal};

/// Begins and ends the accounts of agents: what the log holds of them, and the passwords and sessions that it must not
/// hold.
#[derive(Clone)]
pub struct Accounts {
    /// Registers and deletes the agents.
    pub bus: CommandBus,
    /// Keeps the hashes of their passwords.
    pub credentials: Arc<dyn CredentialStore>,
    /// Hashes their passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Keeps their sessions.
    pub sessions: Sessions,
}

impl Accounts {
    /// An admin registers an agent, who can log in with this password. A repeated command gives the agent of the first
    /// time.
    ///
    /// # Errors
    /// Why the agent was not registered.
    pub async fn register(
        &self,
        context: CommandContext,
        principal: Principal,
        registration: Registration,
        password: &NewPassword,
    ) -> Result<Executed<AgentId>, UseCaseError> {
        let agent_id = self.new_id();
        let register = RegisterAgent { principal, agent_id, registration };
        self.with_password(context, (agent_id, password), register, |begun| *begun == agent_id).await
    }

    /// The operator makes an admin, who can log in with this password.
    ///
    /// # Errors
    /// Why the admin was not made.
    pub async fn appoint_admin(
        &self,
        context: CommandContext,
        registration: Registration,
        password: &NewPassword,
    ) -> Result<AgentId, UseCaseError> {
        let agent_id = self.new_id();
        let appoint = AppointAdmin { agent_id, registration };
        let executed = self.with_password(context, (agent_id, password), appoint, |begun| *begun == agent_id).await?;
        Ok(executed.output)
    }

    /// Makes the default group and the first admin in an empty log; `false` when another node has done so.
    ///
    /// # Errors
    /// Why they were not made.
    pub async fn bootstrap(
        &self,
        context: CommandContext,
        group_name: Name,
        (admin, password): (Registration, &NewPassword),
    ) -> Result<bool, UseCaseError> {
        let (group_id, admin_id) = (GroupId::new(self.bus.new_uuid()), self.new_id());
        let bootstrap = Bootstrap { group_id, group_name, admin_id, admin };
        let executed = self.with_password(context, (admin_id, password), bootstrap, |done| *done).await?;
        Ok(executed.output)
    }

    /// An admin deletes an agent, whose sessions end with it, or restores one, who has to log in again.
    ///
    /// # Errors
    /// Why the agent was not deleted or restored.
    pub async fn delete(&self, context: CommandContext, delete: DeleteAgent) -> Result<Executed<()>, UseCaseError> {
        if !delete.deleted && !self.bus.read::<Agent>(delete.agent_id).await?.is_present() {
            // What the deletion has left, where it broke off before it had ended the sessions.
            self.sessions.end_others(delete.agent_id, None).await?;
        }
        let executed = self.bus.execute(context, delete).await?;
        if delete.deleted {
            self.sessions.end_others(delete.agent_id, None).await?;
        }
        Ok(executed)
    }

    fn new_id(&self) -> AgentId {
        AgentId::new(self.bus.new_uuid())
    }

    /// Stores the password before the agent exists, because an agent without a password could never log in; a password
    /// without an agent is harmless, and is removed.
    async fn with_password<U: UseCase>(
        &self,
        context: CommandContext,
        (agent_id, password): (AgentId, &NewPassword),
        use_case: U,
        has_begun: impl FnOnce(&U::Output) -> bool,
    ) -> Result<Executed<U::Output>, UseCaseError> {
        let hash = self.hasher.hash(password.as_str()).await?;
        self.credentials.save_hash(agent_id, &hash, self.bus.now()).await?;
        let outcome = self.bus.execute(context, use_case).await;
        let in_vain = match &outcome {
            Ok(executed) => !has_begun(&executed.output),
            // Where the outcome is unknown, the agent may exist and need the password.
            Err(error) => !error.is_transient() && !matches!(error, UseCaseError::Aborted),
        };
        if in_vain && let Err(error) = self.credentials.remove_hash(agent_id).await {
            // Nobody can use it, and the caller asked for something else.
            tracing::warn!(error = &error as &dyn std::error::Error, %agent_id, "password of no agent is left over");
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use domain::agent::{EmailClaimError, Role};
    use domain::ids::CommandId;
    use domain::time::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::ports::StoreError;
    use crate::testing::{ADMIN, Company, password};

    #[tokio::test]
    async fn registered_agent_has_a_password_and_can_log_in() {
        let company = Company::open().await;
        let registration = company.registration("anna@example.com", Role::Agent);
        let (context, secret) = (company.context(), password("anna's secret"));
        let executed = company.accounts.register(context, company.admin(), registration, &secret).await.unwrap();
        assert!(company.bus.read::<Agent>(executed.output).await.unwrap().is_present());
        assert!(company.credentials.agents().contains(&executed.output));
    }

    #[tokio::test]
    async fn refused_registration_leaves_no_password() {
        let company = Company::open().await;
        let before = company.credentials.agents();
        let registration = company.registration(ADMIN, Role::Agent);
        let (context, secret) = (company.context(), password("somebody's"));
        let refused = company.accounts.register(context, company.admin(), registration, &secret).await;
        assert!(matches!(refused, Err(UseCaseError::EmailClaim(EmailClaimError::Taken))), "{refused:?}");
        assert_eq!(company.credentials.agents(), before);
    }

    /// Takes passwords and removes none.
    struct Sticky;

    #[async_trait]
    impl CredentialStore for Sticky {
        async fn find_hash(&self, _: AgentId) -> Result<Option<String>, StoreError> {
            Ok(None)
        }

        async fn save_hash(&self, _: AgentId, _: &str, _: Timestamp) -> Result<(), StoreError> {
            Ok(())
        }

        async fn replace_hash(&self, _: AgentId, _: &str, _: &str, _: Timestamp) -> Result<bool, StoreError> {
            Ok(false)
        }

        async fn remove_hash(&self, _: AgentId) -> Result<(), StoreError> {
            Err(StoreError { store: "credentials", source: "as asked".into() })
        }
    }

    #[tokio::test]
    async fn outcome_is_that_of_the_registration_when_its_password_cannot_be_removed() {
        let company = Company::open().await;
        let accounts = Accounts { credentials: Arc::new(Sticky), ..company.accounts.clone() };
        let registration = company.registration(ADMIN, Role::Agent);
        let refused =
            accounts.register(company.context(), company.admin(), registration, &password("somebody's")).await;
        assert!(matches!(refused, Err(UseCaseError::EmailClaim(EmailClaimError::Taken))), "{refused:?}");
        let admin = (company.registration("other@example.com", Role::Admin), &password("other admin's"));
        assert!(!accounts.bootstrap(company.context(), Name::parse("General").unwrap(), admin).await.unwrap());
    }

    #[tokio::test]
    async fn repeated_registration_keeps_the_first_agent_and_password_alone() {
        let company = Company::open().await;
        let context = company.context().repeatable(CommandId::new(Uuid::from_u128(9)), [1; 32]);
        let registration = company.registration("anna@example.com", Role::Agent);
        let secret = password("anna's secret");
        let register = || company.accounts.register(context.clone(), company.admin(), registration.clone(), &secret);
        let (first, again) = (register().await.unwrap(), register().await.unwrap());
        assert_eq!((again.output, again.repeated), (first.output, true));
        assert_eq!(company.credentials.agents(), [company.admin_id, first.output]);
    }

    #[tokio::test]
    async fn password_stays_where_the_outcome_is_unknown() {
        let company = Company::open().await;
        company.log.go_away();
        let registration = company.registration("anna@example.com", Role::Agent);
        let (context, secret) = (company.context(), password("anna's secret"));
        let failed = company.accounts.register(context, company.admin(), registration, &secret).await;
        assert!(failed.is_err_and(|error| error.is_transient()));
        assert_eq!(company.credentials.agents().len(), 2);
    }

    #[tokio::test]
    async fn second_first_start_changes_nothing() {
        let company = Company::open().await;
        let (events, agents) = (company.log.event_types(), company.credentials.agents());
        let admin = (company.registration("other@example.com", Role::Admin), &password("other admin's"));
        let name = Name::parse("General").unwrap();
        assert!(!company.accounts.bootstrap(company.context(), name, admin).await.unwrap());
        assert_eq!((company.log.event_types(), company.credentials.agents()), (events, agents));
    }

    #[tokio::test]
    async fn operators_admin_is_an_admin_with_a_password() {
        let company = Company::open().await;
        let registration = company.registration("other@example.com", Role::Admin);
        let id = company.accounts.appoint_admin(company.context(), registration, &password("other admin's")).await;
        let id = id.unwrap();
        assert_eq!(company.bus.read::<Agent>(id).await.unwrap().role, Role::Admin);
        assert!(company.credentials.agents().contains(&id));
    }

    #[tokio::test]
    async fn deletion_ends_the_sessions_and_restoration_opens_none() {
        let company = Company::open().await;
        let agent_id = company.agent_with_slots(1).await;
        company.accounts.sessions.open(agent_id, Role::Agent).await.unwrap();
        company.accounts.sessions.open(company.admin_id, Role::Admin).await.unwrap();
        let delete = DeleteAgent { principal: company.admin(), agent_id, deleted: true, known_version: None };
        company.accounts.delete(company.context(), delete).await.unwrap();
        assert_eq!((company.sessions.open_of(agent_id), company.sessions.open_of(company.admin_id)), (0, 1));
        let restore = DeleteAgent { deleted: false, ..delete };
        company.accounts.delete(company.context(), restore).await.unwrap();
        assert_eq!(company.sessions.open_of(agent_id), 0);
    }

    #[tokio::test]
    async fn restoration_ends_the_sessions_that_an_interrupted_deletion_left() {
        let company = Company::open().await;
        let agent_id = company.agent_with_slots(1).await;
        company.accounts.sessions.open(agent_id, Role::Agent).await.unwrap();
        let delete = DeleteAgent { principal: company.admin(), agent_id, deleted: true, known_version: None };
        company.act(delete).await;
        assert_eq!(company.sessions.open_of(agent_id), 1);
        company.accounts.delete(company.context(), DeleteAgent { deleted: false, ..delete }).await.unwrap();
        assert_eq!(company.sessions.open_of(agent_id), 0);
    }

    #[tokio::test]
    async fn refused_deletion_leaves_the_sessions_open() {
        let company = Company::open().await;
        let agent_id = company.agent_with_slots(1).await;
        company.accounts.sessions.open(agent_id, Role::Agent).await.unwrap();
        let principal = Principal::Agent { id: agent_id, role: Role::Agent };
        let delete = DeleteAgent { principal, agent_id, deleted: true, known_version: None };
        let refused = company.accounts.delete(company.context(), delete).await;
        assert!(matches!(refused, Err(UseCaseError::Forbidden(_))), "{refused:?}");
        assert_eq!(company.sessions.open_of(agent_id), 1);
    }
}
