use super::event::{AgentEvent, StatusCause};
use super::{AgentStatus, ChatLimit, Role};
use crate::ids::ConversationId;
use crate::text::{AvatarUrl, EmailAddress, Name};
use crate::time::Timestamp;

/// Which conditions an agent must meet to get a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotRule {
    /// The router's: online, accepting, below the limit.
    Routed,
    /// A person's: not offline, below the limit.
    Chosen,
    /// A supervisor's: not offline.
    ChosenOverLimit,
}

/// The initial profile and settings of an agent.
#[derive(Clone, Debug)]
pub struct Registration {
    pub name: Name,
    pub email: EmailAddress,
    pub avatar: Option<AvatarUrl>,
    pub role: Role,
    pub status: AgentStatus,
    pub accepting_chats: bool,
    pub chat_limit: ChatLimit,
    pub at: Timestamp,
}

impl Registration {
    /// An agent who is offline and has the default limit.
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

/// Orders to an agent.
#[derive(Clone, Debug)]
pub enum AgentCommand {
    Register(Registration),
    /// Sets the status by a person's choice.
    SetStatus {
        status: AgentStatus,
        cause: StatusCause,
        at: Timestamp,
    },
    /// The client's presence lease ended: an online agent becomes away.
    LosePresence {
        at: Timestamp,
    },
    /// The client sends heartbeats again: an agent who lost presence is online again.
    RegainPresence {
        at: Timestamp,
    },
    SetAcceptingChats {
        accepting_chats: bool,
        at: Timestamp,
    },
    ChangeLimit {
        chat_limit: ChatLimit,
        at: Timestamp,
    },
    /// Replaces name and picture.
    ChangeProfile {
        name: Name,
        avatar: Option<AvatarUrl>,
        at: Timestamp,
    },
    /// The address is also the log-in name.
    ChangeEmail {
        email: EmailAddress,
        at: Timestamp,
    },
    ChangeRole {
        role: Role,
        at: Timestamp,
    },
    /// Records the change only: a password, even hashed, is never in the log.
    ChangePassword {
        at: Timestamp,
    },
    TakeSlot {
        conversation_id: ConversationId,
        rule: SlotRule,
        at: Timestamp,
    },
    FreeSlot {
        conversation_id: ConversationId,
        at: Timestamp,
    },
    Delete {
        at: Timestamp,
    },
    Restore {
        at: Timestamp,
    },
}
