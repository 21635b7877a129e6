/// Why a conversation refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    /// The conversation was never started.
    #[error("the conversation does not exist")]
    NotStarted,
    #[error("the conversation has started already")]
    AlreadyStarted,
    #[error("the conversation is closed")]
    ChatClosed,
    /// A closed conversation was expected.
    #[error("the conversation is open")]
    ChatOpen,
    /// The chat was reopened as often as it may be.
    #[error("the conversation has {max} threads, the most that it may have; begin a new one", max = super::Conversation::MAX_THREADS)]
    TooManyThreads,
    /// A human's choice wins: the router does not replace the present agent.
    #[error("the conversation has an agent already")]
    AlreadyAssigned,
}
