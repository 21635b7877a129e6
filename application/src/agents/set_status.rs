use std::sync::Arc;

use domain::agent::{Agent, AgentCommand, AgentStatus, StatusCause};
use domain::conversation::QueueReason;
use domain::ids::AgentId;
use domain::thread::LeaveReason;

use super::rights::{ensure_may_see, ensure_may_set_status};
use crate::UseCaseError;
use crate::chat::return_chats_to_queue;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::error::Entity;
use crate::ports::{LogEvent, Principal, Sequence, StreamId};

/// An agent becomes online, away or offline. An agent who becomes offline returns the chats to the queue.
#[derive(Clone, Copy, Debug)]
pub struct SetStatus {
    /// The agent or a supervisor.
    pub principal: Principal,
    pub agent_id: AgentId,
    /// The new status.
    pub status: AgentStatus,
    /// Whether the agent takes new chats; unchanged when absent.
    pub accepting_chats: Option<bool>,
    /// The version that the caller knows, if it matters.
    pub known_version: Option<Sequence>,
}

impl UseCase for SetStatus {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Agent>(self.agent_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let by = ensure_may_set_status(self.principal, self.agent_id)?;
        let at = work.now();
        let agent_id = self.agent_id;
        if !work.load::<Agent>(agent_id).await?.is_present() {
            return Err(UseCaseError::NotFound(Entity::Agent));
        }
        work.ensure_version::<Agent>(agent_id, self.known_version).await?;
        let set = AgentCommand::SetStatus { status: self.status, cause: StatusCause::SetBy { id: by }, at };
        work.execute::<Agent>(agent_id, set).await?;
        if let Some(accepting_chats) = self.accepting_chats {
            work.execute::<Agent>(agent_id, AgentCommand::SetAcceptingChats { accepting_chats, at }).await?;
        }
        give_chats_back_if_offline(work, agent_id, self.status).await
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

/// Returns the chats of an agent who is offline to the queue.
pub(super) async fn give_chats_back_if_offline(
    work: &mut UnitOfWork,
    agent_id: AgentId,
    status: AgentStatus,
) -> Result<(), UseCaseError> {
    if status != AgentStatus::Offline {
        return Ok(());
    }
    return_chats_to_queue(work, agent_id, QueueReason::AgentOffline, LeaveReason::AgentOffline).await?;
    Ok(())
}
