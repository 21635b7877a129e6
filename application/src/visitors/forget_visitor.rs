use std::sync::Arc;

use domain::conversation::Participant;
use domain::ids::VisitorId;
use domain::text::Name;
use domain::visitor::{CLOSED_FOR_ERASURE, Visitor, VisitorCommand};

use crate::UseCaseError;
use crate::chat::end_chat;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::error::Entity;
use crate::ports::{LogEvent, StreamId};

/// Closes a visitor's open chat and blocks the visitor. The texts are erased afterwards, when there cannot be more of
/// them.
#[derive(Clone, Copy, Debug)]
pub(super) struct ForgetVisitor {
    pub(super) visitor_id: VisitorId,
    /// The chat is closed on behalf of this participant.
    pub(super) by: Participant,
}

impl UseCase for ForgetVisitor {
    /// Whether a chat was closed.
    type Output = bool;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Visitor>(self.visitor_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<bool, UseCaseError> {
        let visitor = work.load::<Visitor>(self.visitor_id).await?;
        if !visitor.registered {
            return Err(UseCaseError::NotFound(Entity::Visitor));
        }
        if let Some(conversation_id) = visitor.open_conversation_id {
            let reason = Name::parse(CLOSED_FOR_ERASURE).map_err(|_| UseCaseError::Aborted)?;
            end_chat(work, conversation_id, (self.by, reason, None)).await?;
        }
        let erase = VisitorCommand::Erase { payloads: vec![], conversation_ids: vec![], at: work.now() };
        work.execute::<Visitor>(self.visitor_id, erase).await?;
        Ok(visitor.open_conversation_id.is_some())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<bool> {
        None
    }
}
