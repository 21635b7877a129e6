use super::event::{AgentEvent, StatusCause};
use super::{AgentStatus, ChatLimit, Role};
use crate::ids::ConversationId;
use crate::text::{AvatarUrl, EmailAddress, Name};
use crate::time::Timestamp;

/// Which rules a chat must keep to get a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotRule {
    /// The router's: online, accepting, below the limit.
    Routed,
    /// A person's: not offline, below the limit.
    Chosen,
    /// A supervisor's: not offline.
    ChosenOverLimit,
}

/// All that is known of an agent at the start.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Their name.
    pub name: Name,
    /// Their address.
    pub email: EmailAddress,
    /// A picture of them.
    pub avatar: Option<AvatarUrl>,
    /// What they may do.
    pub role: Role,
    /// Whether they are at work.
    pub status: AgentStatus,
    /// Whether they take new chats.
    pub accepting_chats: bool,
    /// How many chats at once.
    pub chat_limit: ChatLimit,
    /// When.
    pub at: Timestamp,
}

impl Registration {
    /// Of somebody who is not at work yet and has the usual limit.
    #[must_use]
    pub fn offline(name: Name, email: EmailAddress, role: Role, at: Timestamp) -> Self {
        let (status, chat_limit) = (AgentStatus::Offline, ChatLimit::default());
        Self { name, email, avatar: None, role, status, accepting_chats: true, chat_limit, at }
    }

    pub(super) fn into_event(self) -> AgentEvent {
        let Self { name, email, avatar, role, status, accepting_chats, chat_limit, at } = self;
        AgentEvent::AgentRegistered { name, email, avatar, role, status, accepting_chats, chat_limit, at }
    }
}

/// What an agent can be told to do.
#[derive(Clone, Debug)]
pub enum AgentCommand {
    /// Join the company.
    Register(Registration),
    /// Come, go away for a while, or leave.
    SetStatus {
        /// The new status.
        status: AgentStatus,
        /// Why.
        cause: StatusCause,
        /// When.
        at: Timestamp,
    },
    /// Be away, because nothing was heard from the client for too long.
    LosePresence {
        /// When.
        at: Timestamp,
    },
    /// Be back, because the client is heard again.
    RegainPresence {
        /// When.
        at: Timestamp,
    },
    /// Take new chats, or take no more.
    SetAcceptingChats {
        /// Whether to.
        accepting_chats: bool,
        /// When.
        at: Timestamp,
    },
    /// Serve more or fewer chats at once.
    ChangeLimit {
        /// The new limit.
        chat_limit: ChatLimit,
        /// When.
        at: Timestamp,
    },
    /// Get another name or picture.
    ChangeProfile {
        /// The new name.
        name: Name,
        /// The new picture.
        avatar: Option<AvatarUrl>,
        /// When.
        at: Timestamp,
    },
    /// Log in with another address.
    ChangeEmail {
        /// The new address.
        email: EmailAddress,
        /// When.
        at: Timestamp,
    },
    /// Be allowed to do more or less.
    ChangeRole {
        /// The new role.
        role: Role,
        /// When.
        at: Timestamp,
    },
    /// Get another password; the password itself is never in the log.
    ChangePassword {
        /// When.
        at: Timestamp,
    },
    /// Serve a chat.
    TakeSlot {
        /// The chat.
        conversation_id: ConversationId,
        /// The rules for it.
        rule: SlotRule,
        /// When.
        at: Timestamp,
    },
    /// Serve a chat no more.
    FreeSlot {
        /// The chat.
        conversation_id: ConversationId,
        /// When.
        at: Timestamp,
    },
    /// Leave the company.
    Delete {
        /// When.
        at: Timestamp,
    },
    /// Come back to the company.
    Restore {
        /// When.
        at: Timestamp,
    },
}
