use std::collections::BTreeSet;
use std::sync::Arc;

use domain::agent::Agent;
use domain::conversation::{Conversation, QueueReason};
use domain::group::{Group, GroupCommand};
use domain::ids::{AgentId, GroupId};
use domain::thread::LeaveReason;

use super::ensure_supervisor;
use crate::UseCaseError;
use crate::chat::return_chat_to_queue;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::error::Entity;
use crate::ports::{LogEvent, Principal, StreamId};

/// A supervisor takes agents into a group: all of them, or none.
#[derive(Clone, Debug)]
pub struct AddMembers {
    /// Who.
    pub principal: Principal,
    /// Where.
    pub group_id: GroupId,
    /// Whom.
    pub agent_ids: BTreeSet<AgentId>,
}

impl UseCase for AddMembers {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Group>(self.group_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        ensure_supervisor(self.principal)?;
        if !work.load::<Group>(self.group_id).await?.is_present() {
            return Err(UseCaseError::NotFound(Entity::Group));
        }
        for agent_id in &self.agent_ids {
            if !work.load::<Agent>(*agent_id).await?.is_present() {
                return Err(UseCaseError::UnknownReference { field: "agentIds", entity: Entity::Agent });
            }
        }
        let (agent_ids, at) = (self.agent_ids.clone(), work.now());
        work.execute::<Group>(self.group_id, GroupCommand::AddAgents { agent_ids, at }).await?;
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}

/// A supervisor lets an agent go from a group; the agent's chats of that group wait again.
#[derive(Clone, Copy, Debug)]
pub struct RemoveMember {
    /// Who.
    pub principal: Principal,
    /// From where.
    pub group_id: GroupId,
    /// Whom.
    pub agent_id: AgentId,
}

impl UseCase for RemoveMember {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Agent>(self.agent_id), StreamId::of::<Group>(self.group_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        ensure_supervisor(self.principal)?;
        let (group_id, agent_id, at) = (self.group_id, self.agent_id, work.now());
        let group = work.load::<Group>(group_id).await?;
        if !group.is_present() {
            return Err(UseCaseError::NotFound(Entity::Group));
        }
        if !group.agent_ids.contains(&agent_id) {
            return Err(UseCaseError::NotFound(Entity::Agent));
        }
        work.execute::<Group>(group_id, GroupCommand::RemoveAgent { agent_id, at }).await?;
        let agent = work.load::<Agent>(agent_id).await?;
        for conversation_id in agent.slots.iter().copied() {
            if work.load::<Conversation>(conversation_id).await?.group_id == Some(group_id) {
                let (queue, leave) = (QueueReason::AgentLeftGroup, LeaveReason::AgentLeftGroup);
                return_chat_to_queue(work, agent_id, conversation_id, queue, leave).await?;
            }
        }
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}
