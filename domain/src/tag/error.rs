/// Why a tag refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// There is no such tag, or it was deleted.
    #[error("the tag does not exist")]
    NotCreated,
    /// A tag begins once.
    #[error("the tag exists already")]
    AlreadyCreated,
}
