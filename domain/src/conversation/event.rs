use serde::{Deserialize, Serialize};

use crate::aggregate::events;
use crate::assignment::RoutingDecision;
use crate::ids::{AgentId, GroupId, TagId, ThreadId, VisitorId};
use crate::text::{EmailAddress, Name, Note, PhoneNumber};
use crate::time::Timestamp;
use crate::visitor::VisitorDetails;

/// The visitor's details as the chat shows them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VisitorCard {
    pub id: VisitorId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailAddress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<PhoneNumber>,
}

impl VisitorCard {
    #[must_use]
    pub fn new(id: VisitorId, details: VisitorDetails) -> Self {
        let VisitorDetails { name, email, phone } = details;
        Self { id, name, email, phone }
    }

    #[must_use]
    pub fn details(&self) -> VisitorDetails {
        VisitorDetails { name: self.name.clone(), email: self.email.clone(), phone: self.phone.clone() }
    }
}

/// An author or actor in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Participant {
    Visitor(VisitorId),
    Agent(AgentId),
}

/// How the agent was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Assignment {
    Routed {
        decision: RoutingDecision,
    },
    /// A person chose the agent.
    Manual {
        by: AgentId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
        /// The agent had no free slot; only a supervisor may ignore that.
        over_limit: bool,
    },
}

impl Assignment {
    #[must_use]
    pub const fn is_routed(&self) -> bool {
        matches!(self, Self::Routed { .. })
    }
}

/// Why a chat waits again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueReason {
    AgentOffline,
    AgentDeleted,
    AgentLeftGroup,
    /// A person transferred it to a group.
    Transferred,
    GroupDeleted,
}

/// The transfer of a chat to another group: its author and reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Handover {
    pub by: AgentId,
    /// Visitors do not see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
}

/// Facts about a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ConversationEvent {
    /// The chat waits for an agent from now on.
    ChatStarted {
        visitor: VisitorCard,
        group_id: GroupId,
        thread_id: ThreadId,
        /// The agent of the visitor's previous chat; the sticky strategy prefers them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_agent_id: Option<AgentId>,
        at: Timestamp,
    },
    AgentAssigned {
        agent_id: AgentId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous_agent_id: Option<AgentId>,
        thread_id: ThreadId,
        assignment: Assignment,
        at: Timestamp,
    },
    /// The chat has no agent and waits again.
    ChatReturnedToQueue {
        /// The group in whose queue it waits.
        group_id: GroupId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous_agent_id: Option<AgentId>,
        reason: QueueReason,
        /// Absent in early events and when no person transferred the chat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handover: Option<Handover>,
        at: Timestamp,
    },
    ChatClosed {
        by: Participant,
        reason: Name,
        /// The agent's notes, which visitors do not see.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notes: Option<Note>,
        /// The agent who served the chat when it ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent_id: Option<AgentId>,
        /// The thread that closed with the chat.
        thread_id: ThreadId,
        at: Timestamp,
    },
    /// The chat continues in a new thread and waits for an agent.
    ChatReopened {
        by: Participant,
        thread_id: ThreadId,
        previous_thread_id: ThreadId,
        group_id: GroupId,
        /// The last agent; the sticky strategy prefers them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_agent_id: Option<AgentId>,
        at: Timestamp,
    },
    ChatTagged {
        tag_id: TagId,
        by: AgentId,
        at: Timestamp,
    },
    ChatUntagged {
        tag_id: TagId,
        by: AgentId,
        at: Timestamp,
    },
    /// The visitor returned to the open chat with other details.
    VisitorCardChanged {
        /// All details, not only the changed ones.
        visitor: VisitorCard,
        at: Timestamp,
    },
}

events!(ConversationEvent {
    ChatStarted => "1.0",
    AgentAssigned => "1.0",
    ChatReturnedToQueue => "1.0",
    ChatClosed => "1.0",
    ChatReopened => "1.0",
    ChatTagged => "1.0",
    ChatUntagged => "1.0",
    VisitorCardChanged => "1.0",
});
