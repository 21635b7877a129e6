/// Why the workspace refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkspaceError {
    /// Without an admin nobody could manage the workspace.
    #[error("the last admin cannot be dismissed")]
    LastAdmin,
}
