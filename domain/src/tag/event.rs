use serde::{Deserialize, Serialize};

use crate::aggregate::events;
use crate::text::{Color, Name};
use crate::time::Timestamp;

/// Facts about a tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum TagEvent {
    TagCreated {
        name: Name,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        color: Option<Color>,
        at: Timestamp,
    },
    /// Carries the whole new name and colour, also what stayed the same.
    TagRestyled {
        name: Name,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        color: Option<Color>,
        at: Timestamp,
    },
    TagDeleted {
        at: Timestamp,
    },
    TagRestored {
        at: Timestamp,
    },
}

events!(TagEvent { TagCreated => "1.0", TagRestyled => "1.0", TagDeleted => "1.0", TagRestored => "1.0" });
