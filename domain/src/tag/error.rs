/// Why a tag refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// The tag was never created, or it is deleted.
    #[error("the tag does not exist")]
    NotCreated,
    #[error("the tag exists already")]
    AlreadyCreated,
}
