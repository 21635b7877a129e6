use crate::ids::ConversationId;

/// Why a visitor refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VisitorError {
    /// The visitor is not known.
    #[error("the visitor does not exist")]
    NotRegistered,
    /// One open conversation at a time.
    #[error("the visitor has another open conversation")]
    HasOpenChat {
        /// That one.
        conversation_id: ConversationId,
    },
    /// Their personal data was erased; who comes again is somebody else.
    #[error("the visitor's personal data was erased")]
    Erased,
}
