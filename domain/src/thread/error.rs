/// Why a thread refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThreadError {
    /// The thread was never started.
    #[error("the thread does not exist")]
    NotStarted,
    #[error("the thread has started already")]
    AlreadyStarted,
    /// A closed thread takes no messages.
    #[error("the thread is closed")]
    ThreadClosed,
    /// Only the visitor and the agents in the thread may write.
    #[error("only participants may write in the thread")]
    NotAParticipant,
}
