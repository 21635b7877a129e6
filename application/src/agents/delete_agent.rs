use std::sync::Arc;

use domain::agent::{Agent, AgentCommand, EmailClaim, EmailClaimCommand, Role};
use domain::conversation::QueueReason;
use domain::ids::{AgentId, EmailClaimId};
use domain::thread::LeaveReason;

use super::change_agent::count_admin;
use super::rights::ensure_admin;
use crate::UseCaseError;
use crate::chat::return_chats_to_queue;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::error::Entity;
use crate::ports::{LogEvent, Principal, Sequence, StreamId};

/// An admin deletes an agent or restores one. A deleted agent returns the chats to the queue and frees the e-mail address;
/// a restored agent claims the address again. Call it through [`super::Accounts::delete`], which ends the sessions.
#[derive(Clone, Copy, Debug)]
pub struct DeleteAgent {
    /// The admin.
    pub principal: Principal,
    pub agent_id: AgentId,
    /// `true` deletes the agent, `false` restores it.
    pub deleted: bool,
    /// The version that the caller knows, if it matters.
    pub known_version: Option<Sequence>,
}

impl UseCase for DeleteAgent {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Agent>(self.agent_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        ensure_admin(self.principal)?;
        let (agent_id, at) = (self.agent_id, work.now());
        let agent = work.load::<Agent>(agent_id).await?;
        let Some(email) = agent.email.as_ref() else { return Err(UseCaseError::NotFound(Entity::Agent)) };
        work.ensure_version::<Agent>(agent_id, self.known_version).await?;
        if self.deleted {
            return_chats_to_queue(work, agent_id, QueueReason::AgentDeleted, LeaveReason::AgentDeleted).await?;
        }
        let (command, claim) = if self.deleted {
            (AgentCommand::Delete { at }, EmailClaimCommand::Release { agent_id, at })
        } else {
            (AgentCommand::Restore { at }, EmailClaimCommand::Claim { agent_id, at })
        };
        if work.execute::<Agent>(agent_id, command).await? {
            work.execute::<EmailClaim>(EmailClaimId::of(email), claim).await?;
            let is_admin = agent.role == Role::Admin;
            count_admin(work, agent_id, is_admin && self.deleted, is_admin && !self.deleted, at).await?;
        }
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}
