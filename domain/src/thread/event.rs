use serde::{Deserialize, Serialize};

use crate::aggregate::events;
use crate::conversation::Participant;
use crate::ids::{AgentId, ConversationId, EventId, GroupId, ThreadId, VisitorId};
use crate::text::{ClientEventId, MessageText, Metadata};
use crate::time::Timestamp;

/// Why an agent left a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    Reassigned,
    /// The chat was transferred to another group.
    Transferred,
    AgentOffline,
    AgentDeleted,
    AgentLeftGroup,
}

impl LeaveReason {
    /// As in JSON.
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

/// How an agent came into a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinCause {
    Routed,
    /// The agent took the chat from the queue.
    Taken,
    /// A supervisor gave the chat to the agent.
    Assigned,
    /// The previous agent handed the chat over.
    Transferred,
}

/// Why a chat changed its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupChangeReason {
    /// A person transferred it.
    Transferred,
    /// The previous group was deleted.
    GroupDeleted,
}

/// Facts about a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ThreadEvent {
    ThreadStarted {
        conversation_id: ConversationId,
        visitor_id: VisitorId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous_thread_id: Option<ThreadId>,
        at: Timestamp,
    },
    MessageSent {
        /// Repeated in each message so that a reader of one event knows its chat.
        conversation_id: ConversationId,
        message_id: EventId,
        author: Participant,
        text: MessageText,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_event_id: Option<ClientEventId>,
        /// A JSON object that clients get back with the message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metadata: Option<Metadata>,
        at: Timestamp,
    },
    AgentJoined {
        agent_id: AgentId,
        /// Absent in early events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<JoinCause>,
        at: Timestamp,
    },
    AgentLeft {
        agent_id: AgentId,
        reason: LeaveReason,
        at: Timestamp,
    },
    GroupChanged {
        group_id: GroupId,
        previous_group_id: GroupId,
        reason: GroupChangeReason,
        at: Timestamp,
    },
    ThreadClosed {
        by: Participant,
        at: Timestamp,
    },
    /// A participant has read on, also after the end.
    MessagesRead {
        /// Repeated so that a reader of one event knows its chat.
        conversation_id: ConversationId,
        reader: Participant,
        /// The position of the last message that the reader has seen.
        up_to: i64,
        /// The later messages of the other side, in this thread and the conversation's later ones.
        unread: u32,
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
    MessagesRead => "1.0",
});
