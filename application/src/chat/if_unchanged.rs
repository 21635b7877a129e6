use std::sync::Arc;

use domain::conversation::Conversation;
use domain::ids::ConversationId;

use super::access::ensure_may_read;
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::ports::{LogEvent, Principal, Sequence, StreamId};

/// Makes a change of a chat only if the chat is still in the version that the caller knows.
#[derive(Clone, Debug)]
pub struct IfUnchanged<U> {
    /// The caller.
    pub principal: Principal,
    /// The chat.
    pub conversation_id: ConversationId,
    /// The version that the caller knows, if it matters.
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
            // Callers who may not read the chat must not learn its version.
            let conversation = work.load::<Conversation>(self.conversation_id).await?;
            ensure_may_read(work, self.principal, &conversation).await?;
            work.ensure_version::<Conversation>(self.conversation_id, self.known_version).await?;
        }
        self.change.run(work).await
    }

    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<U::Output> {
        self.change.recall(events)
    }

    /// The chat may have been taken from the caller since, and is shown as it is now.
    async fn ensure_may_recall(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let conversation = work.load::<Conversation>(self.conversation_id).await?;
        ensure_may_read(work, self.principal, &conversation).await
    }
}
