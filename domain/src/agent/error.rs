/// Why an agent refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// There is no such agent, or they were deleted.
    #[error("the agent does not exist")]
    NotRegistered,
    /// An agent registers once.
    #[error("the agent is registered already")]
    AlreadyRegistered,
    /// They serve as many chats as they may.
    #[error("the agent serves as many chats as their limit allows")]
    AtCapacity,
    /// They are not at work, or take no chats.
    #[error("the agent is not available")]
    NotAvailable,
}
