use std::sync::Arc;

use domain::agent::{Agent, AgentCommand, AgentStatus, ChatLimit, EmailClaim, EmailClaimCommand, Role, StatusCause};
use domain::ids::{AgentId, EmailClaimId, WorkspaceId};
use domain::text::{AvatarUrl, EmailAddress, Name};
use domain::time::Timestamp;
use domain::workspace::{Workspace, WorkspaceCommand};

use super::rights::ensure_may_see;
use super::set_status::give_chats_back_if_offline;
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::error::Entity;
use crate::ports::{LogEvent, Principal, Sequence, StreamId};

/// The changes of an agent; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct AgentChanges {
    pub name: Option<Name>,
    /// Another picture; `Some(None)` removes it.
    pub avatar: Option<Option<AvatarUrl>>,
    pub status: Option<AgentStatus>,
    /// Whether the router may assign new chats.
    pub accepting_chats: Option<bool>,
    /// Another address to log in with.
    pub email: Option<EmailAddress>,
    pub role: Option<Role>,
    /// How many chats the agent serves at the same time.
    pub chat_limit: Option<ChatLimit>,
}

impl AgentChanges {
    /// Whether only an admin may make these changes. Agents may make the others to themselves.
    #[must_use]
    pub const fn needs_admin(&self) -> bool {
        self.email.is_some() || self.role.is_some() || self.chat_limit.is_some()
    }
}

/// An admin changes an agent, or an agent changes itself.
#[derive(Clone, Debug)]
pub struct ChangeAgent {
    /// The admin or the agent itself.
    pub principal: Principal,
    pub agent_id: AgentId,
    pub changes: AgentChanges,
    /// The version that the caller knows, if it matters.
    pub known_version: Option<Sequence>,
}

impl UseCase for ChangeAgent {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Agent>(self.agent_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let by = self.ensure_may_change()?;
        let (agent_id, at) = (self.agent_id, work.now());
        let agent = work.load::<Agent>(agent_id).await?;
        if !agent.is_present() {
            return Err(UseCaseError::NotFound(Entity::Agent));
        }
        work.ensure_version::<Agent>(agent_id, self.known_version).await?;
        self.change_profile(work, &agent, at).await?;
        if let Some(email) = &self.changes.email {
            change_email(work, agent_id, &agent, email, at).await?;
        }
        if let Some(role) = self.changes.role {
            change_role(work, agent_id, &agent, role, at).await?;
        }
        if let Some(chat_limit) = self.changes.chat_limit {
            work.execute::<Agent>(agent_id, AgentCommand::ChangeLimit { chat_limit, at }).await?;
        }
        if let Some(accepting_chats) = self.changes.accepting_chats {
            work.execute::<Agent>(agent_id, AgentCommand::SetAcceptingChats { accepting_chats, at }).await?;
        }
        if let Some(status) = self.changes.status {
            let cause = StatusCause::SetBy { id: by };
            work.execute::<Agent>(agent_id, AgentCommand::SetStatus { status, cause, at }).await?;
            give_chats_back_if_offline(work, agent_id, status).await?;
        }
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }

    /// Since the first time it may have been deleted.
    async fn ensure_may_recall(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let is_present = work.load::<Agent>(self.agent_id).await?.is_present();
        ensure_may_see(self.principal, is_present, Entity::Agent)
    }
}

impl ChangeAgent {
    fn ensure_may_change(&self) -> Result<AgentId, UseCaseError> {
        match self.principal {
            Principal::Agent { id, role: Role::Admin } => Ok(id),
            Principal::Agent { id, .. } if id == self.agent_id && !self.changes.needs_admin() => Ok(id),
            Principal::Agent { .. } | Principal::Visitor { .. } => {
                Err(UseCaseError::Forbidden("only admins may change others, addresses, roles and limits"))
            }
        }
    }

    async fn change_profile(&self, work: &mut UnitOfWork, agent: &Agent, at: Timestamp) -> Result<(), UseCaseError> {
        let Some(name) = self.changes.name.clone().or_else(|| agent.name.clone()) else { return Ok(()) };
        let avatar = self.changes.avatar.clone().unwrap_or_else(|| agent.avatar.clone());
        work.execute::<Agent>(self.agent_id, AgentCommand::ChangeProfile { name, avatar, at }).await?;
        Ok(())
    }
}

async fn change_email(
    work: &mut UnitOfWork,
    agent_id: AgentId,
    agent: &Agent,
    email: &EmailAddress,
    at: Timestamp,
) -> Result<(), UseCaseError> {
    let new = EmailClaimId::of(email);
    work.execute::<EmailClaim>(new, EmailClaimCommand::Claim { agent_id, at }).await?;
    if let Some(old) = agent.email.as_ref().map(EmailClaimId::of).filter(|old| *old != new) {
        work.execute::<EmailClaim>(old, EmailClaimCommand::Release { agent_id, at }).await?;
    }
    work.execute::<Agent>(agent_id, AgentCommand::ChangeEmail { email: email.clone(), at }).await?;
    Ok(())
}

async fn change_role(
    work: &mut UnitOfWork,
    agent_id: AgentId,
    agent: &Agent,
    role: Role,
    at: Timestamp,
) -> Result<(), UseCaseError> {
    if !work.execute::<Agent>(agent_id, AgentCommand::ChangeRole { role, at }).await? {
        return Ok(());
    }
    count_admin(work, agent_id, agent.role == Role::Admin, role == Role::Admin, at).await
}

/// Keeps the workspace's list of admins, by which it refuses to lose the last one.
pub(super) async fn count_admin(
    work: &mut UnitOfWork,
    agent_id: AgentId,
    was: bool,
    is: bool,
    at: Timestamp,
) -> Result<(), UseCaseError> {
    let command = match (was, is) {
        (false, true) => WorkspaceCommand::AppointAdmin { agent_id, at },
        (true, false) => WorkspaceCommand::DismissAdmin { agent_id, at },
        (true, true) | (false, false) => return Ok(()),
    };
    work.execute::<Workspace>(WorkspaceId::ONLY, command).await?;
    Ok(())
}
