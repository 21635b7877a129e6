/// Why a group refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// The group was never created, or it is deleted.
    #[error("the group does not exist")]
    NotCreated,
    #[error("the group exists already")]
    AlreadyCreated,
}
