//! A person who asks: at most one open conversation.

mod erasure;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use erasure::{CLOSED_FOR_ERASURE, ERASED, ErasedPayload, redacted};

use crate::aggregate::{aggregate, events};
use crate::ids::{AgentId, ConversationId, VisitorId};
use crate::text::{EmailAddress, Name, PhoneNumber};
use crate::time::Timestamp;

/// How a visitor introduces themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VisitorDetails {
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Their e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailAddress>,
    /// Their telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<PhoneNumber>,
}

impl VisitorDetails {
    /// These details, and what they leave out from `known`.
    #[must_use]
    pub fn or(self, known: &Self) -> Self {
        Self {
            name: self.name.or_else(|| known.name.clone()),
            email: self.email.or_else(|| known.email.clone()),
            phone: self.phone.or_else(|| known.phone.clone()),
        }
    }
}

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

/// What a visitor can be told to do.
#[derive(Clone, Debug)]
pub enum VisitorCommand {
    /// Introduce themselves, or add to what is known, also to their open chat, which may not know it yet.
    Introduce {
        /// What they say; what it leaves out stays.
        details: VisitorDetails,
        /// When.
        at: Timestamp,
    },
    /// Have this conversation open.
    OpenChat {
        /// The conversation.
        conversation_id: ConversationId,
        /// When.
        at: Timestamp,
    },
    /// Have this conversation open no more.
    EndChat {
        /// The conversation.
        conversation_id: ConversationId,
        /// The agent who served it at the end.
        last_agent_id: Option<AgentId>,
        /// When.
        at: Timestamp,
    },
    /// Be forgotten as a person: nothing more is taken from them, and these payloads hold nothing of them any more.
    Erase {
        /// What is left of the payloads that held something; none at first.
        payloads: Vec<ErasedPayload>,
        /// The conversations that they belong to.
        conversation_ids: Vec<ConversationId>,
        /// When.
        at: Timestamp,
    },
}

/// Why a visitor refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VisitorError {
    /// The visitor is not known.
    #[error("the visitor does not exist")]
    NotRegistered,
    /// One open conversation at a time.
    #[error("the visitor has another open conversation")]
    HasOpenChat {
        /// That one.
        conversation_id: ConversationId,
    },
    /// Their personal data was erased; who comes again is somebody else.
    #[error("the visitor's personal data was erased")]
    Erased,
}

/// What happens to a visitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum VisitorEvent {
    /// Somebody came for the first time.
    VisitorRegistered {
        /// How they introduced themselves.
        details: VisitorDetails,
        /// When.
        at: Timestamp,
    },
    /// They introduced themselves differently.
    VisitorReintroduced {
        /// All that is known now.
        details: VisitorDetails,
        /// Their open chat, which shows it from now on; early events left it as it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown_in: Option<ConversationId>,
        /// When.
        at: Timestamp,
    },
    /// Their open chat, which did not know it, shows how they have introduced themselves last.
    VisitorShown {
        /// The chat.
        conversation_id: ConversationId,
        /// When.
        at: Timestamp,
    },
    /// They have an open conversation.
    ChatOpened {
        /// The conversation.
        conversation_id: ConversationId,
        /// When.
        at: Timestamp,
    },
    /// They have no open conversation.
    ChatEnded {
        /// The conversation they had.
        conversation_id: ConversationId,
        /// The agent who served it at the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_agent_id: Option<AgentId>,
        /// When.
        at: Timestamp,
    },
    /// Their personal data was taken out of the log: out of these payloads, and those of earlier such events.
    PersonalDataErased {
        /// What is left of the payloads that held something. It vouches for them: their salts are gone.
        payloads: Vec<ErasedPayload>,
        /// The conversations that they belong to.
        conversation_ids: Vec<ConversationId>,
        /// When.
        at: Timestamp,
    },
}

events!(VisitorEvent {
    VisitorRegistered => "1.0",
    VisitorReintroduced => "1.0",
    VisitorShown => "1.0",
    ChatOpened => "1.0",
    ChatEnded => "1.0",
    PersonalDataErased => "1.0",
});
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
