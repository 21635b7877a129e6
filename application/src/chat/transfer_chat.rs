use std::sync::Arc;

use domain::agent::{Agent, AgentCommand};
use domain::conversation::{Conversation, ConversationCommand, Handover, QueueReason};
use domain::group::Group;
use domain::ids::{ConversationId, GroupId};
use domain::text::Note;
use domain::thread::{GroupChangeReason, LeaveReason, Thread, ThreadCommand};

use super::access::ensure_may_steer;
use super::relocate_chat::tell_of_group;
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::error::Entity;
use crate::ports::{LogEvent, Principal, StreamId};

/// Hands a chat to another group: it leaves its agent and waits at the end of that group's queue.
#[derive(Clone, Debug)]
pub struct TransferChat {
    /// The agent of the chat or a supervisor.
    pub principal: Principal,
    /// The chat.
    pub conversation_id: ConversationId,
    pub group_id: GroupId,
    /// For the agents who serve the chat.
    pub reason: Option<Note>,
}

impl UseCase for TransferChat {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Conversation>(self.conversation_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let at = work.now();
        let conversation_id = self.conversation_id;
        let Principal::Agent { id: by, .. } = self.principal else {
            return Err(UseCaseError::Forbidden("visitors do not transfer chats"));
        };
        let conversation = work.load::<Conversation>(conversation_id).await?;
        ensure_may_steer(work, self.principal, &conversation, conversation.agent_id).await?;
        if !work.load::<Group>(self.group_id).await?.is_present() {
            return Err(UseCaseError::UnknownReference { field: "groupId", entity: Entity::Group });
        }
        let (reason, group_id) = (QueueReason::Transferred, Some(self.group_id));
        let handover = Some(Handover { by, reason: self.reason.clone() });
        let transfer = ConversationCommand::ReturnToQueue { reason, group_id, handover, at };
        if !work.execute::<Conversation>(conversation_id, transfer).await? {
            return Ok(());
        }
        if let (Some(agent_id), Some(thread_id)) = (conversation.agent_id, conversation.active_thread_id) {
            work.execute::<Agent>(agent_id, AgentCommand::FreeSlot { conversation_id, at }).await?;
            let leave = ThreadCommand::AgentLeaves { agent_id, reason: LeaveReason::Transferred, at };
            work.execute::<Thread>(thread_id, leave).await?;
        }
        tell_of_group(work, &conversation, self.group_id, GroupChangeReason::Transferred).await
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}
