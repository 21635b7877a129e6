use crate::text::{Color, Name};
use crate::time::Timestamp;

/// Orders to a tag.
#[derive(Clone, Debug)]
pub enum TagCommand {
    Create {
        name: Name,
        color: Option<Color>,
        at: Timestamp,
    },
    /// Replaces name and colour.
    Restyle {
        name: Name,
        color: Option<Color>,
        at: Timestamp,
    },
    /// A deleted tag cannot be put on a conversation; it stays readable where it is.
    Delete {
        at: Timestamp,
    },
    Restore {
        at: Timestamp,
    },
}
