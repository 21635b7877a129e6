/// Why a conversation refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    /// There is no such conversation.
    #[error("the conversation does not exist")]
    NotStarted,
    /// A conversation starts once.
    #[error("the conversation has started already")]
    AlreadyStarted,
    /// It has ended.
    #[error("the conversation is closed")]
    ChatClosed,
    /// It has not ended.
    #[error("the conversation is open")]
    ChatOpen,
    /// The router must not replace the agent who serves it.
    #[error("the conversation has an agent already")]
    AlreadyAssigned,
}
