use std::collections::BTreeSet;
use std::sync::Arc;

use domain::agent::Agent;
use domain::conversation::{Conversation, QueueReason};
use domain::group::{Group, GroupCommand};
use domain::ids::{AgentId, CommandId, ConversationId, GroupId};
use domain::thread::LeaveReason;

use super::ensure_supervisor;
use crate::UseCaseError;
use crate::agents::ensure_may_see;
use crate::chat::{RETURNED_AT_ONCE, return_chat_to_queue};
use crate::command_bus::{CommandBus, CommandContext, Executed, UnitOfWork, UseCase};
use crate::error::Entity;
use crate::ports::{LogEvent, Principal, Sequence, StreamId};

/// A supervisor adds agents to a group: all of them, or none.
#[derive(Clone, Debug)]
pub struct AddMembers {
    pub principal: Principal,
    pub group_id: GroupId,
    pub agent_ids: BTreeSet<AgentId>,
    /// The version of the group that the caller knows, if it matters.
    pub known_version: Option<Sequence>,
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
        work.ensure_version::<Group>(self.group_id, self.known_version).await?;
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

    /// Since the first time it may have been deleted.
    async fn ensure_may_recall(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let is_present = work.load::<Group>(self.group_id).await?.is_present();
        ensure_may_see(self.principal, is_present, Entity::Group)
    }
}

/// A supervisor removes an agent from a group; the agent's chats of that group return to the queue.
#[derive(Clone, Copy, Debug)]
pub struct RemoveMember {
    pub principal: Principal,
    pub group_id: GroupId,
    pub agent_id: AgentId,
    /// The version of the group that the caller knows, if it matters.
    pub known_version: Option<Sequence>,
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
        work.ensure_version::<Group>(group_id, self.known_version).await?;
        if !group.agent_ids.contains(&agent_id) {
            return Err(UseCaseError::NotFound(Entity::Member));
        }
        work.execute::<Group>(group_id, GroupCommand::RemoveAgent { agent_id, at }).await?;
        let chats = self.chats(work).await?;
        self.give_back(work, &chats).await
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }

    /// Since the first time it may have been deleted.
    async fn ensure_may_recall(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let is_present = work.load::<Group>(self.group_id).await?.is_present();
        ensure_may_see(self.principal, is_present, Entity::Group)
    }
}

impl RemoveMember {
    /// The agent's chats of this group.
    async fn chats(&self, work: &mut UnitOfWork) -> Result<Vec<ConversationId>, UseCaseError> {
        let agent = work.load::<Agent>(self.agent_id).await?;
        let mut chats = vec![];
        for conversation_id in agent.slots.iter().copied() {
            if work.load::<Conversation>(conversation_id).await?.group_id == Some(self.group_id) {
                chats.push(conversation_id);
            }
        }
        Ok(chats)
    }

    async fn give_back(&self, work: &mut UnitOfWork, chats: &[ConversationId]) -> Result<(), UseCaseError> {
        for conversation_id in chats {
            let (queue, leave) = (QueueReason::AgentLeftGroup, LeaveReason::AgentLeftGroup);
            return_chat_to_queue(work, self.agent_id, *conversation_id, queue, leave).await?;
        }
        Ok(())
    }
}

/// Removes agents from groups.
#[derive(Clone)]
pub struct Memberships {
    /// Runs the use cases.
    pub bus: CommandBus,
}

impl Memberships {
    /// Removes an agent from a group. An agent with more chats of the group than one append gives back returns the others
    /// first; broken off in between, the agent is still in the group.
    ///
    /// # Errors
    /// The refusal, or why it could not be carried out.
    pub async fn remove(&self, context: CommandContext, remove: RemoveMember) -> Result<Executed<()>, UseCaseError> {
        let mut events = vec![];
        loop {
            let part = context.part(CommandId::new(self.bus.new_uuid()));
            let lightened = self.bus.execute(part, Lighten(remove)).await?;
            events.extend(lightened.events);
            if !lightened.output {
                break;
            }
        }
        let removed = self.bus.execute(context, remove).await?;
        events.extend(removed.events);
        Ok(Executed { events, ..removed })
    }
}

/// Returns chats of a member to the queue until one append can return the rest. The output is whether there were too many.
struct Lighten(RemoveMember);

impl UseCase for Lighten {
    type Output = bool;

    fn locks(&self) -> Vec<StreamId> {
        self.0.locks()
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<bool, UseCaseError> {
        ensure_supervisor(self.0.principal)?;
        if !work.load::<Group>(self.0.group_id).await?.agent_ids.contains(&self.0.agent_id) {
            return Ok(false);
        }
        work.ensure_version::<Group>(self.0.group_id, self.0.known_version).await?;
        let chats = self.0.chats(work).await?;
        if chats.len() <= RETURNED_AT_ONCE {
            return Ok(false);
        }
        self.0.give_back(work, &chats[..RETURNED_AT_ONCE]).await?;
        Ok(true)
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<bool> {
        None
    }
}
