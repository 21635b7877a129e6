use std::collections::BTreeSet;
use std::sync::Arc;

use domain::agent::{Agent, AgentCommand, EmailClaim, EmailClaimCommand, Registration, Role};
use domain::group::{Group, GroupCommand};
use domain::ids::{AgentId, EmailClaimId, WorkspaceId};
use domain::workspace::{Workspace, WorkspaceCommand};

use super::rights::ensure_admin;
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase, recall_id};
use crate::ports::{LogEvent, Principal, StreamId};

/// An admin registers an agent, who joins the default group.
#[derive(Clone, Debug)]
pub struct RegisterAgent {
    /// The admin.
    pub principal: Principal,
    /// The new agent's id; the password is stored under it before.
    pub agent_id: AgentId,
    /// Name, address, role and settings of the new agent.
    pub registration: Registration,
}

impl UseCase for RegisterAgent {
    type Output = AgentId;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<EmailClaim>(EmailClaimId::of(&self.registration.email))]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<AgentId, UseCaseError> {
        ensure_admin(self.principal)?;
        register_into_default_group(work, self.agent_id, &self.registration).await?;
        Ok(self.agent_id)
    }

    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<AgentId> {
        recall_id::<Agent>(events)
    }
}

/// Registers an agent who also joins the default group.
pub(super) async fn register_into_default_group(
    work: &mut UnitOfWork,
    agent_id: AgentId,
    registration: &Registration,
) -> Result<(), UseCaseError> {
    register(work, agent_id, registration).await?;
    let workspace = work.load::<Workspace>(WorkspaceId::ONLY).await?;
    if let Some(group_id) = workspace.default_group_id {
        let add = GroupCommand::AddAgents { agent_ids: BTreeSet::from([agent_id]), at: registration.at };
        work.execute::<Group>(group_id, add).await?;
    }
    Ok(())
}

/// Claims the address, registers the agent and, if the role says so, appoints the admin.
pub(super) async fn register(
    work: &mut UnitOfWork,
    agent_id: AgentId,
    registration: &Registration,
) -> Result<(), UseCaseError> {
    let at = registration.at;
    let claim = EmailClaimId::of(&registration.email);
    work.execute::<EmailClaim>(claim, EmailClaimCommand::Claim { agent_id, at }).await?;
    work.execute::<Agent>(agent_id, AgentCommand::Register(registration.clone())).await?;
    if registration.role == Role::Admin {
        let appoint = WorkspaceCommand::AppointAdmin { agent_id, at };
        work.execute::<Workspace>(WorkspaceId::ONLY, appoint).await?;
    }
    Ok(())
}
