use serde::{Deserialize, Serialize};

use super::{AgentStatus, ChatLimit, Role};
use crate::aggregate::events;
use crate::ids::{AgentId, ConversationId};
use crate::text::{AvatarUrl, EmailAddress, Name};
use crate::time::Timestamp;

/// Why an agent's status changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StatusCause {
    /// A person set it: the agent, or somebody who may.
    SetBy {
        /// Who.
        id: AgentId,
    },
    /// Nothing was heard from the agent's client any more.
    LeaseExpired,
    /// The client of an agent of whom nothing was heard is heard again.
    LeaseRenewed,
}

/// What happens to an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum AgentEvent {
    /// They joined the company.
    AgentRegistered {
        /// Their name.
        name: Name,
        /// Their address.
        email: EmailAddress,
        /// A picture of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        avatar: Option<AvatarUrl>,
        /// What they may do.
        role: Role,
        /// Whether they are at work.
        status: AgentStatus,
        /// Whether they take new chats.
        accepting_chats: bool,
        /// How many chats at once.
        chat_limit: ChatLimit,
        /// When.
        at: Timestamp,
    },
    /// They came, went away for a while, or left.
    StatusChanged {
        /// The new status.
        status: AgentStatus,
        /// Why.
        cause: StatusCause,
        /// When.
        at: Timestamp,
    },
    /// They take new chats again.
    ChatsAccepted {
        /// When.
        at: Timestamp,
    },
    /// They take no new chats.
    ChatsDeclined {
        /// When.
        at: Timestamp,
    },
    /// They serve more or fewer chats at once.
    LimitChanged {
        /// The new limit.
        chat_limit: ChatLimit,
        /// When.
        at: Timestamp,
    },
    /// They have another name or picture.
    ProfileChanged {
        /// The new name.
        name: Name,
        /// The new picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        avatar: Option<AvatarUrl>,
        /// When.
        at: Timestamp,
    },
    /// They log in with another address.
    EmailChanged {
        /// The new address.
        email: EmailAddress,
        /// When.
        at: Timestamp,
    },
    /// They may do more or less.
    RoleChanged {
        /// The new role.
        role: Role,
        /// When.
        at: Timestamp,
    },
    /// They have another password.
    PasswordChanged {
        /// When.
        at: Timestamp,
    },
    /// They serve a chat.
    SlotTaken {
        /// The chat.
        conversation_id: ConversationId,
        /// Whether it is one more than the limit allows.
        over_limit: bool,
        /// When.
        at: Timestamp,
    },
    /// They serve a chat no more.
    SlotFreed {
        /// The chat.
        conversation_id: ConversationId,
        /// When.
        at: Timestamp,
    },
    /// They left the company.
    AgentDeleted {
        /// When.
        at: Timestamp,
    },
    /// They came back to the company.
    AgentRestored {
        /// When.
        at: Timestamp,
    },
}

impl AgentEvent {
    /// Whether somebody has changed the agent: chats that come and go, and clients that fall silent and are heard again,
    /// are nobody's change.
    #[must_use]
    pub const fn is_edit(&self) -> bool {
        let is_presence =
            matches!(self, Self::StatusChanged { cause: StatusCause::LeaseExpired | StatusCause::LeaseRenewed, .. });
        !is_presence && !matches!(self, Self::SlotTaken { .. } | Self::SlotFreed { .. })
    }
}

events!(AgentEvent {
    AgentRegistered => "1.0",
    StatusChanged => "1.0",
    ChatsAccepted => "1.0",
    ChatsDeclined => "1.0",
    LimitChanged => "1.0",
    ProfileChanged => "1.0",
    EmailChanged => "1.0",
    RoleChanged => "1.0",
    PasswordChanged => "1.0",
    SlotTaken => "1.0",
    SlotFreed => "1.0",
    AgentDeleted => "1.0",
    AgentRestored => "1.0",
});
