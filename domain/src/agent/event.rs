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
    /// A person set it: the agent or somebody with the right to.
    SetBy { id: AgentId },
    /// The heartbeats of the agent's client stopped.
    LeaseExpired,
    /// The heartbeats of the agent's client came back.
    LeaseRenewed,
}

/// Facts about an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum AgentEvent {
    AgentRegistered {
        name: Name,
        email: EmailAddress,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        avatar: Option<AvatarUrl>,
        role: Role,
        status: AgentStatus,
        accepting_chats: bool,
        chat_limit: ChatLimit,
        at: Timestamp,
    },
    StatusChanged {
        status: AgentStatus,
        cause: StatusCause,
        at: Timestamp,
    },
    /// The agent takes new chats again.
    ChatsAccepted {
        at: Timestamp,
    },
    /// The agent takes no new chats and keeps the present ones.
    ChatsDeclined {
        at: Timestamp,
    },
    LimitChanged {
        chat_limit: ChatLimit,
        at: Timestamp,
    },
    /// Carries the whole new name and picture, also what stayed the same.
    ProfileChanged {
        name: Name,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        avatar: Option<AvatarUrl>,
        at: Timestamp,
    },
    EmailChanged {
        email: EmailAddress,
        at: Timestamp,
    },
    RoleChanged {
        role: Role,
        at: Timestamp,
    },
    /// A password, even hashed, is never in the log.
    PasswordChanged {
        at: Timestamp,
    },
    SlotTaken {
        conversation_id: ConversationId,
        /// The slot exceeds the limit, by a supervisor's choice.
        over_limit: bool,
        at: Timestamp,
    },
    SlotFreed {
        conversation_id: ConversationId,
        at: Timestamp,
    },
    AgentDeleted {
        at: Timestamp,
    },
    AgentRestored {
        at: Timestamp,
    },
}

impl AgentEvent {
    /// Whether a person edited the agent. Assignments and missed heartbeats are no edits: they do not change the
    /// version that `If-Match` compares.
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
