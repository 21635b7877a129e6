use application::UseCaseError;
use projections::QueryError;

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// The caller may not read it, or the log could not be read.
    #[error(transparent)]
    Refused(#[from] UseCaseError),
    /// The view could not be read, or the cursor is none.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The log has it and the view does not have it yet.
    #[error("the view is behind the log")]
    ViewBehind,
}
