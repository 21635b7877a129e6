use serde::{Deserialize, Serialize};

use crate::aggregate::events;
use crate::conversation::Participant;
use crate::ids::{AgentId, ConversationId, EventId, GroupId, ThreadId, VisitorId};
use crate::text::{ClientEventId, MessageText};
use crate::time::Timestamp;

/// Why an agent takes part no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// Another agent took over.
    Reassigned,
    /// The chat went to another group.
    Transferred,
    /// The agent went offline.
    AgentOffline,
    /// The agent was deleted.
    AgentDeleted,
    /// The agent left the group.
    AgentLeftGroup,
}

impl LeaveReason {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reassigned => "reassigned",
            Self::Transferred => "transferred",
            Self::AgentOffline => "agent_offline",
            Self::AgentDeleted => "agent_deleted",
            Self::AgentLeftGroup => "agent_left_group",
        }
    }
}

/// How an agent came to take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinCause {
    /// The router chose them.
    Routed,
    /// They took the chat themselves.
    Taken,
    /// Somebody gave them the chat.
    Assigned,
    /// The chat was handed over to them.
    Transferred,
}

/// Why another group serves a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupChangeReason {
    /// It was handed over.
    Transferred,
    /// The group before was deleted.
    GroupDeleted,
}

/// What happens in a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ThreadEvent {
    /// It began.
    ThreadStarted {
        /// The conversation.
        conversation_id: ConversationId,
        /// Its visitor.
        visitor_id: VisitorId,
        /// The thread before it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous_thread_id: Option<ThreadId>,
        /// When.
        at: Timestamp,
    },
    /// Somebody said something.
    MessageSent {
        /// The conversation of the thread.
        conversation_id: ConversationId,
        /// The id of the message.
        message_id: EventId,
        /// Who.
        author: Participant,
        /// What.
        text: MessageText,
        /// The client's own id of the message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_event_id: Option<ClientEventId>,
        /// What the client wants to have back with the message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metadata: Option<serde_json::Value>,
        /// When.
        at: Timestamp,
    },
    /// An agent takes part.
    AgentJoined {
        /// The agent.
        agent_id: AgentId,
        /// How they came to; not known of early events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<JoinCause>,
        /// When.
        at: Timestamp,
    },
    /// An agent takes part no more.
    AgentLeft {
        /// The agent.
        agent_id: AgentId,
        /// Why.
        reason: LeaveReason,
        /// When.
        at: Timestamp,
    },
    /// Another group serves the chat.
    GroupChanged {
        /// The group.
        group_id: GroupId,
        /// The group before.
        previous_group_id: GroupId,
        /// Why.
        reason: GroupChangeReason,
        /// When.
        at: Timestamp,
    },
    /// It ended.
    ThreadClosed {
        /// Who ended it.
        by: Participant,
        /// When.
        at: Timestamp,
    },
}

events!(ThreadEvent {
    ThreadStarted => "1.0",
    MessageSent => "1.0",
    AgentJoined => "1.0",
    AgentLeft => "1.0",
    GroupChanged => "1.0",
    ThreadClosed => "1.0",
});
