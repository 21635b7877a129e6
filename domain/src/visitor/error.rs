use crate::ids::ConversationId;

/// Why a visitor refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VisitorError {
    /// The visitor was never registered.
    #[error("the visitor does not exist")]
    NotRegistered,
    /// A visitor has one open conversation at a time.
    #[error("the visitor has another open conversation")]
    HasOpenChat { conversation_id: ConversationId },
    /// The personal data was erased; a returning person is a new visitor.
    #[error("the visitor's personal data was erased")]
    Erased,
}
