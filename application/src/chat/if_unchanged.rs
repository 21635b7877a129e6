use std::sync::Arc;

use domain::conversation::Conversation;
use domain::ids::ConversationId;

use super::access::ensure_may_read;
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::ports::{LogEvent, Principal, Sequence, StreamId};

/// A change of a chat that is only made if nothing has happened to the chat since the caller saw it.
#[derive(Clone, Debug)]
pub struct IfUnchanged<U> {
    /// Who changes it.
    pub principal: Principal,
    /// The chat.
    pub conversation_id: ConversationId,
    /// The version that the caller knows, if they care.
    pub known_version: Option<Sequence>,
    pub change: U,
}

impl<U: UseCase> UseCase for IfUnchanged<U> {
    type Output = U::Output;

    const CHECKS_WHAT_IT_READ: bool = U::CHECKS_WHAT_IT_READ;

    fn locks(&self) -> Vec<StreamId> {
        self.change.locks()
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<U::Output, UseCaseError> {
        if self.known_version.is_some() {
            // Whom the chat does not concern is not told its version.
            let conversation = work.load::<Conversation>(self.conversation_id).await?;
            ensure_may_read(work, self.principal, &conversation).await?;
            work.ensure_version::<Conversation>(self.conversation_id, self.known_version).await?;
        }
        self.change.run(work).await
    }

    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<U::Output> {
        self.change.recall(events)
    }
}
