use application::ports::LogEvent;
use infrastructure::database::{DatabaseError, RowError};
use infrastructure::subscription::HandleError;

use crate::cursor::CursorError;

/// Why a query gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The caller's cursor is not one that this list gave.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The database did not answer, or a row is not what it should be.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<RowError> for QueryError {
    fn from(error: RowError) -> Self {
        Self::Database(error.into())
    }
}

/// What an event says cannot be true of what is stored: the view and the log do not fit together.
#[derive(Debug, thiserror::Error)]
#[error("{event_type}: {reason}")]
struct Misfit {
    event_type: String,
    reason: &'static str,
}

/// Stops the projector at this event.
pub(crate) fn poison(event: &LogEvent, reason: &'static str) -> HandleError {
    let misfit = Misfit { event_type: event.header.event_type.clone(), reason };
    HandleError::Poison { position: event.header.position, source: misfit.into() }
}
