use std::sync::Arc;

use domain::conversation::{Conversation, ConversationCommand, QueueReason};
use domain::group::Group;
use domain::ids::{ConversationId, GroupId};
use domain::thread::{GroupChangeReason, Thread, ThreadCommand};

use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::ports::{LogEvent, StreamId};

/// Moves a chat that waits in a deleted group to another group, where its place follows from the time it began to wait.
#[derive(Clone, Copy, Debug)]
pub struct RelocateChat {
    /// The chat.
    pub conversation_id: ConversationId,
    /// The other group.
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
        let back = ConversationCommand::ReturnToQueue { reason, group_id, handover: None, at };
        if !work.execute::<Conversation>(self.conversation_id, back).await? {
            return Ok(());
        }
        tell_of_group(work, &conversation, self.group_id, GroupChangeReason::GroupDeleted).await
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}

/// Records in the thread of an open chat that another group serves it.
pub(super) async fn tell_of_group(
    work: &mut UnitOfWork,
    before: &Conversation,
    group_id: GroupId,
    reason: GroupChangeReason,
) -> Result<(), UseCaseError> {
    let at = work.now();
    if let (Some(thread_id), Some(previous_group_id)) = (before.active_thread_id, before.group_id) {
        let change = ThreadCommand::ChangeGroup { group_id, previous_group_id, reason, at };
        work.execute::<Thread>(thread_id, change).await?;
    }
    Ok(())
}
