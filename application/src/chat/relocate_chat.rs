use std::sync::Arc;

use domain::conversation::{Conversation, ConversationCommand, QueueReason};
use domain::group::Group;
use domain::ids::{ConversationId, GroupId};

use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::ports::{LogEvent, StreamId};

/// A chat that waits in a deleted group goes to another group and keeps its place by the time of its arrival.
#[derive(Clone, Copy, Debug)]
pub struct RelocateChat {
    /// The chat.
    pub conversation_id: ConversationId,
    /// Where it goes.
    pub group_id: GroupId,
}

impl UseCase for RelocateChat {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Conversation>(self.conversation_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let conversation = work.load::<Conversation>(self.conversation_id).await?;
        let Some(group_id) = conversation.group_id.filter(|_| conversation.agent_id.is_none()) else { return Ok(()) };
        if !work.load::<Group>(group_id).await?.deleted {
            return Ok(());
        }
        let (reason, group_id, at) = (QueueReason::GroupDeleted, Some(self.group_id), work.now());
        let back = ConversationCommand::ReturnToQueue { reason, group_id, at };
        work.execute::<Conversation>(self.conversation_id, back).await?;
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}
