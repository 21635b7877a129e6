//! A person who asks: at most one open conversation.

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

/// The state of a visitor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Visitor {
    /// Whether the visitor is known.
    pub registered: bool,
    /// How they introduced themselves.
    pub details: VisitorDetails,
    /// Their open conversation.
    pub open_conversation_id: Option<ConversationId>,
    /// The agent who served their last chat to its end.
    pub last_agent_id: Option<AgentId>,
    /// How often they have introduced themselves differently.
    pub introductions: u64,
    /// Which of these introductions each of their chats shows.
    pub cards: BTreeMap<ConversationId, u64>,
    /// Whether their personal data was erased: nothing more is taken from them.
    #[serde(default)]
    pub erased: bool,
}

aggregate!(Visitor, Visitor, VisitorId, VisitorCommand, VisitorEvent, VisitorError, "4");

impl Visitor {
    /// Whether a chat of theirs shows an earlier introduction.
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
                // One that is opened again shows what it has shown before.
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
