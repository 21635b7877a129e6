use serde::{Deserialize, Serialize};

use crate::aggregate::events;
use crate::text::{Color, Name};
use crate::time::Timestamp;

/// What happens to a tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum TagEvent {
    /// It began.
    TagCreated {
        /// Its name.
        name: Name,
        /// Its colour.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        color: Option<Color>,
        /// When.
        at: Timestamp,
    },
    /// It has another name or colour.
    TagRestyled {
        /// The name.
        name: Name,
        /// The colour.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        color: Option<Color>,
        /// When.
        at: Timestamp,
    },
    /// It ended.
    TagDeleted {
        /// When.
        at: Timestamp,
    },
    /// It goes on.
    TagRestored {
        /// When.
        at: Timestamp,
    },
}

events!(TagEvent { TagCreated => "1.0", TagRestyled => "1.0", TagDeleted => "1.0", TagRestored => "1.0" });
