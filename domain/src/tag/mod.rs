//! A label for conversations.

mod name_claim;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use name_claim::{TagNameClaim, TagNameClaimCommand, TagNameClaimError, TagNameClaimEvent};

use crate::aggregate::{aggregate, events};
use crate::ids::TagId;
use crate::text::{Color, Name};
use crate::time::Timestamp;

/// The state of a tag.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// Its name; none before the creation.
    pub name: Option<Name>,
    /// Its colour.
    pub color: Option<Color>,
    /// Whether it was deleted.
    pub deleted: bool,
}

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
aggregate!(Tag, Tag, TagId, TagCommand, TagEvent, TagError);

impl Tag {
    /// Whether the tag was created and not deleted.
    #[must_use]
    pub const fn is_present(&self) -> bool {
        self.name.is_some() && !self.deleted
    }

    fn decide_command(&self, command: TagCommand) -> Result<Vec<TagEvent>, TagError> {
        match command {
            TagCommand::Create { name, color, at } => {
                if self.name.is_some() {
                    return Err(TagError::AlreadyCreated);
                }
                Ok(vec![TagEvent::TagCreated { name, color, at }])
            }
            TagCommand::Restyle { name, color, at } => {
                if !self.is_present() {
                    return Err(TagError::NotCreated);
                }
                if self.name.as_ref() == Some(&name) && self.color == color {
                    return Ok(vec![]);
                }
                Ok(vec![TagEvent::TagRestyled { name, color, at }])
            }
            TagCommand::Delete { at } => {
                self.ensure_created()?;
                Ok(if self.deleted { vec![] } else { vec![TagEvent::TagDeleted { at }] })
            }
            TagCommand::Restore { at } => {
                self.ensure_created()?;
                Ok(if self.deleted { vec![TagEvent::TagRestored { at }] } else { vec![] })
            }
        }
    }

    const fn ensure_created(&self) -> Result<(), TagError> {
        if self.name.is_some() { Ok(()) } else { Err(TagError::NotCreated) }
    }

    fn on(&mut self, event: TagEvent) {
        match event {
            TagEvent::TagCreated { name, color, .. } | TagEvent::TagRestyled { name, color, .. } => {
                self.name = Some(name);
                self.color = color;
            }
            TagEvent::TagDeleted { .. } => self.deleted = true,
            TagEvent::TagRestored { .. } => self.deleted = false,
        }
    }
}
