/// Why an agent refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// The agent was never registered, or is deleted.
    #[error("the agent does not exist")]
    NotRegistered,
    #[error("the agent is registered already")]
    AlreadyRegistered,
    /// All slots are taken.
    #[error("the agent serves as many chats as their limit allows")]
    AtCapacity,
    /// The agent is not at work or takes no chats.
    #[error("the agent is not available")]
    NotAvailable,
}
