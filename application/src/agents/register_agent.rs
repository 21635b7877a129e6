use std::collections::BTreeSet;
use std::sync::Arc;

use domain::agent::{Agent, AgentCommand, EmailClaim, EmailClaimCommand, Registration, Role};
use domain::event::AnyEvent;
use domain::group::{Group, GroupCommand};
use domain::ids::{AgentId, EmailClaimId, EntityId, WorkspaceId};
use domain::workspace::{Workspace, WorkspaceCommand};

use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::ports::{LogEvent, Principal, StreamId};

/// An admin registers an agent, who joins the default group.
#[derive(Clone, Debug)]
pub struct RegisterAgent {
    /// Who registers.
    pub principal: Principal,
    /// The new agent's id; their password is stored under it before.
    pub agent_id: AgentId,
    /// All that is known of them.
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
        agent_of(events)
    }
}

/// The agent whom events are about.
pub(super) fn agent_of(events: &[Arc<LogEvent>]) -> Option<AgentId> {
    events.iter().find_map(|event| match &event.event {
        AnyEvent::Agent(_) => Some(AgentId::from_uuid(event.header.aggregate_id)),
        _ => None,
    })
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

/// Claims the address, registers the agent and, if they are one, appoints the admin.
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

pub(super) const fn ensure_admin(principal: Principal) -> Result<AgentId, UseCaseError> {
    match principal {
        Principal::Agent { id, role: Role::Admin } => Ok(id),
        Principal::Agent { .. } | Principal::Visitor { .. } => Err(UseCaseError::Forbidden("only admins may do this")),
    }
}
