use std::sync::Arc;

use domain::conversation::{Conversation, ConversationCommand};
use domain::ids::{ConversationId, TagId};
use domain::tag::Tag;

use super::access::ensure_may_steer;
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::error::Entity;
use crate::ports::{LogEvent, Principal, StreamId};

/// Puts a tag on a conversation or removes it.
#[derive(Clone, Copy, Debug)]
pub struct TagChat {
    /// An agent of the chat or a supervisor.
    pub principal: Principal,
    pub conversation_id: ConversationId,
    pub tag_id: TagId,
    /// `true` puts the tag on, `false` removes it.
    pub on: bool,
}

impl UseCase for TagChat {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Conversation>(self.conversation_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let Principal::Agent { id: by, .. } = self.principal else {
            return Err(UseCaseError::Forbidden("visitors do not tag conversations"));
        };
        let (tag_id, at) = (self.tag_id, work.now());
        let conversation = work.load::<Conversation>(self.conversation_id).await?;
        let agent_id = conversation.agent_id.or(conversation.last_agent_id);
        ensure_may_steer(work, self.principal, &conversation, agent_id).await?;
        let command = if self.on {
            if !work.load::<Tag>(tag_id).await?.is_present() {
                return Err(UseCaseError::UnknownReference { field: "tagId", entity: Entity::Tag });
            }
            ConversationCommand::AddTag { tag_id, by, at }
        } else {
            // A deleted tag can still be removed.
            ConversationCommand::RemoveTag { tag_id, by, at }
        };
        work.execute::<Conversation>(self.conversation_id, command).await?;
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}
