/// Why a group refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// There is no such group, or it was deleted.
    #[error("the group does not exist")]
    NotCreated,
    /// A group begins once.
    #[error("the group exists already")]
    AlreadyCreated,
}
