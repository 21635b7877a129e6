//! A person who asks for help. A visitor has at most one open conversation.

mod command;
mod details;
mod erasure;
mod error;
mod event;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use command::VisitorCommand;
pub use details::VisitorDetails;
pub use erasure::{CLOSED_FOR_ERASURE, ERASED, ErasedPayload, redacted};
pub use error::VisitorError;
pub use event::VisitorEvent;

use crate::aggregate::aggregate;
use crate::ids::{AgentId, ConversationId, VisitorId};

/// What the rules need to know of a visitor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Visitor {
    pub registered: bool,
    pub details: VisitorDetails,
    pub open_conversation_id: Option<ConversationId>,
    /// The agent who served the last chat when it ended; the sticky strategy prefers them.
    pub last_agent_id: Option<AgentId>,
    /// How often the details have changed.
    pub introductions: u64,
    /// The value of `introductions` whose details each chat shows.
    pub cards: BTreeMap<ConversationId, u64>,
    /// An erased visitor cannot start a chat again.
    #[serde(default)]
    pub erased: bool,
}

aggregate!(Visitor, Visitor, VisitorId, VisitorCommand, VisitorEvent, VisitorError, "4");

impl Visitor {
    /// Whether a chat shows older details than the latest.
    #[must_use]
    pub fn is_outdated_in(&self, conversation_id: ConversationId) -> bool {
        self.cards.get(&conversation_id).is_some_and(|shown| *shown < self.introductions)
    }

    fn decide_command(&self, command: VisitorCommand) -> Result<Vec<VisitorEvent>, VisitorError> {
        match command {
            VisitorCommand::Introduce { details, at } => {
                self.ensure_not_erased()?;
                let details = details.or(&self.details);
                if !self.registered {
                    return Ok(vec![VisitorEvent::VisitorRegistered { details, at }]);
                }
                let shown_in = self.open_conversation_id;
                if details != self.details {
                    return Ok(vec![VisitorEvent::VisitorReintroduced { details, shown_in, at }]);
                }
                let outdated = shown_in.filter(|open| self.is_outdated_in(*open));
                Ok(outdated
                    .map(|conversation_id| VisitorEvent::VisitorShown { conversation_id, at })
                    .into_iter()
                    .collect())
            }
            VisitorCommand::OpenChat { conversation_id, at } => {
                self.ensure_registered()?;
                self.ensure_not_erased()?;
                match self.open_conversation_id {
                    Some(open) if open == conversation_id => Ok(vec![]),
                    Some(open) => Err(VisitorError::HasOpenChat { conversation_id: open }),
                    None => Ok(vec![VisitorEvent::ChatOpened { conversation_id, at }]),
                }
            }
            VisitorCommand::EndChat { conversation_id, last_agent_id, at } => {
                self.ensure_registered()?;
                if self.open_conversation_id != Some(conversation_id) {
                    return Ok(vec![]);
                }
                Ok(vec![VisitorEvent::ChatEnded { conversation_id, last_agent_id, at }])
            }
            VisitorCommand::Erase { payloads, conversation_ids, at } => {
                self.ensure_registered()?;
                if let Some(conversation_id) = self.open_conversation_id {
                    return Err(VisitorError::HasOpenChat { conversation_id });
                }
                let nothing_new = self.erased && payloads.is_empty();
                let erased = VisitorEvent::PersonalDataErased { payloads, conversation_ids, at };
                Ok(if nothing_new { vec![] } else { vec![erased] })
            }
        }
    }

    const fn ensure_not_erased(&self) -> Result<(), VisitorError> {
        if self.erased { Err(VisitorError::Erased) } else { Ok(()) }
    }

    const fn ensure_registered(&self) -> Result<(), VisitorError> {
        if self.registered { Ok(()) } else { Err(VisitorError::NotRegistered) }
    }

    fn on(&mut self, event: VisitorEvent) {
        match event {
            VisitorEvent::VisitorRegistered { details, .. } => {
                self.registered = true;
                self.details = details;
            }
            VisitorEvent::VisitorReintroduced { details, shown_in, .. } => {
                self.introductions += 1;
                self.details = details;
                self.cards.extend(shown_in.map(|chat| (chat, self.introductions)));
            }
            VisitorEvent::VisitorShown { conversation_id, .. } => {
                self.cards.insert(conversation_id, self.introductions);
            }
            VisitorEvent::ChatOpened { conversation_id, .. } => {
                self.open_conversation_id = Some(conversation_id);
                // A reopened chat keeps showing the details it showed before.
                self.cards.entry(conversation_id).or_insert(self.introductions);
            }
            VisitorEvent::ChatEnded { last_agent_id, .. } => {
                self.open_conversation_id = None;
                self.last_agent_id = last_agent_id.or(self.last_agent_id);
            }
            VisitorEvent::PersonalDataErased { .. } => {
                self.erased = true;
                self.details = VisitorDetails::default();
                self.cards.clear();
            }
        }
    }
}
