use serde::{Deserialize, Serialize};

use crate::aggregate::events;
use crate::assignment::RoutingDecision;
use crate::ids::{AgentId, GroupId, TagId, ThreadId, VisitorId};
use crate::text::{EmailAddress, Name, Note, PhoneNumber};
use crate::time::Timestamp;
use crate::visitor::VisitorDetails;

/// A visitor as they introduced themselves when the chat began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VisitorCard {
    /// Who.
    pub id: VisitorId,
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

impl VisitorCard {
    /// Of this visitor.
    #[must_use]
    pub fn new(id: VisitorId, details: VisitorDetails) -> Self {
        let VisitorDetails { name, email, phone } = details;
        Self { id, name, email, phone }
    }

    /// How they introduced themselves.
    #[must_use]
    pub fn details(&self) -> VisitorDetails {
        VisitorDetails { name: self.name.clone(), email: self.email.clone(), phone: self.phone.clone() }
    }
}

/// Who takes part in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Participant {
    /// The visitor.
    Visitor(VisitorId),
    /// An agent.
    Agent(AgentId),
}

/// Who chose the agent, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Assignment {
    /// The router did.
    Routed {
        /// How it came to its choice.
        decision: RoutingDecision,
    },
    /// A person did.
    Manual {
        /// Who.
        by: AgentId,
        /// Their reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
        /// Whether the agent had no free slot, which only a supervisor may ignore.
        over_limit: bool,
    },
}

impl Assignment {
    /// Whether the router chose.
    #[must_use]
    pub const fn is_routed(&self) -> bool {
        matches!(self, Self::Routed { .. })
    }
}

/// Why a chat waits again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueReason {
    /// Its agent went offline.
    AgentOffline,
    /// Its agent was deleted.
    AgentDeleted,
    /// Its agent left the group.
    AgentLeftGroup,
    /// It was transferred to a group.
    Transferred,
    /// Its group was deleted.
    GroupDeleted,
}

/// Who gave a chat to another group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Handover {
    /// Who.
    pub by: AgentId,
    /// Their reason, which visitors do not see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
}

/// What happens to a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ConversationEvent {
    /// A visitor began a chat; it waits for an agent.
    ChatStarted {
        /// The visitor.
        visitor: VisitorCard,
        /// The group that serves it.
        group_id: GroupId,
        /// The first thread.
        thread_id: ThreadId,
        /// The agent of the visitor's last chat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_agent_id: Option<AgentId>,
        /// When.
        at: Timestamp,
    },
    /// An agent serves the chat now.
    AgentAssigned {
        /// The agent.
        agent_id: AgentId,
        /// Who served it until now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous_agent_id: Option<AgentId>,
        /// The thread it happened in.
        thread_id: ThreadId,
        /// Who chose, and why.
        assignment: Assignment,
        /// When.
        at: Timestamp,
    },
    /// The chat has no agent any more and waits.
    ChatReturnedToQueue {
        /// The queue.
        group_id: GroupId,
        /// Who served it until now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous_agent_id: Option<AgentId>,
        /// Why.
        reason: QueueReason,
        /// Who transferred it, and why; not known of early events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handover: Option<Handover>,
        /// When.
        at: Timestamp,
    },
    /// The chat ended.
    ChatClosed {
        /// Who ended it.
        by: Participant,
        /// Why, in a few words.
        reason: Name,
        /// What the agent wants to remember.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notes: Option<Note>,
        /// Who served it at the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent_id: Option<AgentId>,
        /// The thread that ended with it.
        thread_id: ThreadId,
        /// When.
        at: Timestamp,
    },
    /// The chat goes on in a new thread; it waits for an agent.
    ChatReopened {
        /// Who goes on.
        by: Participant,
        /// The new thread.
        thread_id: ThreadId,
        /// The thread before it.
        previous_thread_id: ThreadId,
        /// The group that serves it.
        group_id: GroupId,
        /// The agent who served it last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_agent_id: Option<AgentId>,
        /// When.
        at: Timestamp,
    },
    /// A tag was put on.
    ChatTagged {
        /// The tag.
        tag_id: TagId,
        /// Who did it.
        by: AgentId,
        /// When.
        at: Timestamp,
    },
    /// A tag was taken off.
    ChatUntagged {
        /// The tag.
        tag_id: TagId,
        /// Who did it.
        by: AgentId,
        /// When.
        at: Timestamp,
    },
    /// The visitor came back to the open chat and introduced themselves differently.
    VisitorCardChanged {
        /// All that they have said of themselves.
        visitor: VisitorCard,
        /// When.
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
