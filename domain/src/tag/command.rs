use crate::text::{Color, Name};
use crate::time::Timestamp;

/// What a tag can be told to do.
#[derive(Clone, Debug)]
pub enum TagCommand {
    /// Begin.
    Create {
        /// Its name.
        name: Name,
        /// Its colour.
        color: Option<Color>,
        /// When.
        at: Timestamp,
    },
    /// Get another name or colour.
    Restyle {
        /// The name.
        name: Name,
        /// The colour.
        color: Option<Color>,
        /// When.
        at: Timestamp,
    },
    /// End: it goes on no more conversations, and stays readable where it is.
    Delete {
        /// When.
        at: Timestamp,
    },
    /// Go on.
    Restore {
        /// When.
        at: Timestamp,
    },
}
