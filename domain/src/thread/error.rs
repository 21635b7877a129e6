/// Why a thread refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThreadError {
    /// There is no such thread.
    #[error("the thread does not exist")]
    NotStarted,
    /// A thread starts once.
    #[error("the thread has started already")]
    AlreadyStarted,
    /// It has ended and takes no more messages.
    #[error("the thread is closed")]
    ThreadClosed,
    /// Only the visitor and the agents in the thread write in it.
    #[error("only participants may write in the thread")]
    NotAParticipant,
}
