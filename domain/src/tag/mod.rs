//! A label for conversations.

mod command;
mod error;
mod event;
mod name_claim;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use command::TagCommand;
pub use error::TagError;
pub use event::TagEvent;
pub use name_claim::{TagNameClaim, TagNameClaimCommand, TagNameClaimError, TagNameClaimEvent};

use crate::aggregate::aggregate;
use crate::ids::TagId;
use crate::text::{Color, Name};

/// What the rules need to know of a tag.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// `None` until the tag is created.
    pub name: Option<Name>,
    pub color: Option<Color>,
    pub deleted: bool,
}

aggregate!(Tag, Tag, TagId, TagCommand, TagEvent, TagError);

impl Tag {
    /// Created and not deleted.
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
