//! A person who answers chats, with role, availability and slots.

mod command;
mod email_claim;
mod error;
mod event;
mod password;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use command::{AgentCommand, Registration, SlotRule};
pub use email_claim::{EmailClaim, EmailClaimCommand, EmailClaimError, EmailClaimEvent};
pub use error::AgentError;
pub use event::{AgentEvent, StatusCause};
pub use password::{GivenPassword, NewPassword};

use crate::aggregate::aggregate;
use crate::ids::{AgentId, ConversationId};
use crate::text::{AvatarUrl, EmailAddress, Name};
use crate::time::Timestamp;

/// The rights of an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Serves own chats and the queues of own groups.
    #[default]
    Agent,
    /// Manages all chats, groups and tags.
    Supervisor,
    /// Also manages agents, roles, audit and settings.
    Admin,
}

impl Role {
    /// As in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
        }
    }

    /// The inverse of [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Agent, Self::Supervisor, Self::Admin].into_iter().find(|role| role.as_str() == name)
    }
}

/// The availability of an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// At work.
    Online,
    /// At work but not attentive: keeps chats, gets no new ones.
    Away,
    /// Not at work: keeps no chats.
    #[default]
    Offline,
}

impl AgentStatus {
    /// As in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Offline => "offline",
        }
    }

    /// The inverse of [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Online, Self::Away, Self::Offline].into_iter().find(|status| status.as_str() == name)
    }
}

/// How many chats an agent serves at once: 1 to 20.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChatLimit(u8);

impl ChatLimit {
    pub const MAX: u8 = 20;

    /// Checks a limit from outside.
    #[must_use]
    pub fn new(chats: i64) -> Option<Self> {
        u8::try_from(chats).ok().filter(|chats| (1..=Self::MAX).contains(chats)).map(Self)
    }

    #[must_use]
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl Default for ChatLimit {
    fn default() -> Self {
        Self(6)
    }
}

/// What the rules need to know of an agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// `None` until the agent is registered.
    pub name: Option<Name>,
    /// Also the log-in name.
    pub email: Option<EmailAddress>,
    pub avatar: Option<AvatarUrl>,
    pub role: Role,
    pub status: AgentStatus,
    /// Away because heartbeats stopped, not by a person's choice; only such an agent comes back by itself.
    pub lost: bool,
    pub accepting_chats: bool,
    pub chat_limit: ChatLimit,
    /// The chats that the agent serves.
    pub slots: BTreeSet<ConversationId>,
    pub deleted: bool,
    /// Events since the last edit by a person, see [`AgentEvent::is_edit`]. `If-Match` compares the version before
    /// these, because chats come and go all day.
    pub since_edit: i64,
}

aggregate!(Agent, Agent, AgentId, AgentCommand, AgentEvent, AgentError, "5", |agent, events| events - agent.since_edit);

impl Agent {
    /// Registered and not deleted.
    #[must_use]
    pub const fn is_present(&self) -> bool {
        self.name.is_some() && !self.deleted
    }

    /// Another chat would stay within the limit.
    #[must_use]
    pub fn has_free_slot(&self) -> bool {
        self.slots.len() < self.chat_limit.get()
    }

    fn decide_command(&self, command: AgentCommand) -> Result<Vec<AgentEvent>, AgentError> {
        match command {
            AgentCommand::Register(registration) => {
                if self.name.is_some() {
                    return Err(AgentError::AlreadyRegistered);
                }
                Ok(vec![registration.into_event()])
            }
            AgentCommand::SetStatus { status, cause, at } => {
                self.ensure_present()?;
                // An agent who chose to be away stays away when heartbeats come back.
                if self.status == status && !self.lost {
                    return Ok(vec![]);
                }
                Ok(vec![AgentEvent::StatusChanged { status, cause, at }])
            }
            AgentCommand::LosePresence { at } => {
                self.ensure_present()?;
                Ok(self.change_presence(AgentStatus::Online, AgentStatus::Away, StatusCause::LeaseExpired, at))
            }
            AgentCommand::RegainPresence { at } => {
                self.ensure_present()?;
                if !self.lost {
                    return Ok(vec![]);
                }
                Ok(self.change_presence(AgentStatus::Away, AgentStatus::Online, StatusCause::LeaseRenewed, at))
            }
            AgentCommand::SetAcceptingChats { accepting_chats, at } => {
                self.ensure_present()?;
                if self.accepting_chats == accepting_chats {
                    return Ok(vec![]);
                }
                Ok(vec![if accepting_chats {
                    AgentEvent::ChatsAccepted { at }
                } else {
                    AgentEvent::ChatsDeclined { at }
                }])
            }
            AgentCommand::ChangeLimit { chat_limit, at } => {
                self.ensure_present()?;
                if self.chat_limit == chat_limit {
                    return Ok(vec![]);
                }
                Ok(vec![AgentEvent::LimitChanged { chat_limit, at }])
            }
            AgentCommand::ChangeProfile { name, avatar, at } => {
                self.ensure_present()?;
                if self.name.as_ref() == Some(&name) && self.avatar == avatar {
                    return Ok(vec![]);
                }
                Ok(vec![AgentEvent::ProfileChanged { name, avatar, at }])
            }
            AgentCommand::ChangeEmail { email, at } => {
                self.ensure_present()?;
                if self.email.as_ref() == Some(&email) {
                    return Ok(vec![]);
                }
                Ok(vec![AgentEvent::EmailChanged { email, at }])
            }
            AgentCommand::ChangeRole { role, at } => {
                self.ensure_present()?;
                if self.role == role {
                    return Ok(vec![]);
                }
                Ok(vec![AgentEvent::RoleChanged { role, at }])
            }
            AgentCommand::ChangePassword { at } => {
                self.ensure_present()?;
                Ok(vec![AgentEvent::PasswordChanged { at }])
            }
            AgentCommand::TakeSlot { conversation_id, rule, at } => self.take_slot(conversation_id, rule, at),
            AgentCommand::FreeSlot { conversation_id, at } => {
                // The slots of a deleted agent are freed as well.
                if !self.slots.contains(&conversation_id) {
                    return Ok(vec![]);
                }
                Ok(vec![AgentEvent::SlotFreed { conversation_id, at }])
            }
            AgentCommand::Delete { at } => {
                self.ensure_registered()?;
                Ok(if self.deleted { vec![] } else { vec![AgentEvent::AgentDeleted { at }] })
            }
            AgentCommand::Restore { at } => {
                self.ensure_registered()?;
                Ok(if self.deleted { vec![AgentEvent::AgentRestored { at }] } else { vec![] })
            }
        }
    }

    fn change_presence(
        &self,
        from: AgentStatus,
        status: AgentStatus,
        cause: StatusCause,
        at: Timestamp,
    ) -> Vec<AgentEvent> {
        if self.status == from { vec![AgentEvent::StatusChanged { status, cause, at }] } else { vec![] }
    }

    fn take_slot(
        &self,
        conversation_id: ConversationId,
        rule: SlotRule,
        at: Timestamp,
    ) -> Result<Vec<AgentEvent>, AgentError> {
        self.ensure_present()?;
        if self.slots.contains(&conversation_id) {
            return Ok(vec![]);
        }
        let available = match rule {
            SlotRule::Routed => self.status == AgentStatus::Online && self.accepting_chats,
            // A chat at an offline agent would be stranded, even by a supervisor's choice.
            SlotRule::Chosen | SlotRule::ChosenOverLimit => self.status != AgentStatus::Offline,
        };
        if !available {
            return Err(AgentError::NotAvailable);
        }
        let over_limit = !self.has_free_slot();
        if over_limit && rule != SlotRule::ChosenOverLimit {
            return Err(AgentError::AtCapacity);
        }
        Ok(vec![AgentEvent::SlotTaken { conversation_id, over_limit, at }])
    }

    const fn ensure_registered(&self) -> Result<(), AgentError> {
        if self.name.is_some() { Ok(()) } else { Err(AgentError::NotRegistered) }
    }

    const fn ensure_present(&self) -> Result<(), AgentError> {
        if self.is_present() { Ok(()) } else { Err(AgentError::NotRegistered) }
    }

    fn on(&mut self, event: AgentEvent) {
        self.since_edit = if event.is_edit() { 0 } else { self.since_edit + 1 };
        match event {
            AgentEvent::AgentRegistered { name, email, avatar, role, status, accepting_chats, chat_limit, .. } => {
                self.name = Some(name);
                self.email = Some(email);
                self.avatar = avatar;
                self.role = role;
                self.status = status;
                self.accepting_chats = accepting_chats;
                self.chat_limit = chat_limit;
            }
            AgentEvent::StatusChanged { status, cause, .. } => {
                self.status = status;
                self.lost = cause == StatusCause::LeaseExpired;
            }
            AgentEvent::ChatsAccepted { .. } => self.accepting_chats = true,
            AgentEvent::ChatsDeclined { .. } => self.accepting_chats = false,
            AgentEvent::LimitChanged { chat_limit, .. } => self.chat_limit = chat_limit,
            AgentEvent::ProfileChanged { name, avatar, .. } => {
                self.name = Some(name);
                self.avatar = avatar;
            }
            AgentEvent::EmailChanged { email, .. } => self.email = Some(email),
            AgentEvent::RoleChanged { role, .. } => self.role = role,
            AgentEvent::PasswordChanged { .. } => {}
            AgentEvent::SlotTaken { conversation_id, .. } => {
                self.slots.insert(conversation_id);
            }
            AgentEvent::SlotFreed { conversation_id, .. } => {
                self.slots.remove(&conversation_id);
            }
            AgentEvent::AgentDeleted { .. } => {
                self.deleted = true;
                self.status = AgentStatus::Offline;
                self.lost = false;
            }
            AgentEvent::AgentRestored { .. } => self.deleted = false,
        }
    }
}
