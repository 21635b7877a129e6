use domain::conversation::Participant;
use domain::thread::{GroupChangeReason, LeaveReason, ThreadEvent};
use domain::time::Timestamp;
use serde_json::{Value, json};

use super::kinds::SystemType;

/// A system event: what happened, as a sentence for people and as facts for programs.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) system_type: SystemType,
    pub(super) sentence: &'static str,
    pub(super) metadata: Value,
    pub(super) at: Timestamp,
}

impl Fact {
    /// The system event that an event of a thread is; none of a message.
    pub(super) fn of(event: &ThreadEvent) -> Option<Self> {
        Some(match event {
            ThreadEvent::MessageSent { .. } | ThreadEvent::MessagesRead { .. } => return None,
            ThreadEvent::ThreadStarted { visitor_id, previous_thread_id, at, .. } => Self {
                system_type: SystemType::ThreadStarted,
                sentence: if previous_thread_id.is_none() { "The chat began." } else { "The chat was reopened." },
                metadata: json!({ "visitorId": visitor_id, "previousThreadId": previous_thread_id }),
                at: *at,
            },
            ThreadEvent::AgentJoined { agent_id, cause, at } => Self {
                system_type: SystemType::AgentJoined,
                sentence: "An agent joined the chat.",
                metadata: json!({ "agentId": agent_id, "cause": cause }),
                at: *at,
            },
            ThreadEvent::AgentLeft { agent_id, reason, at } => Self {
                system_type: SystemType::AgentLeft,
                sentence: leaving(*reason),
                metadata: json!({ "agentId": agent_id, "reason": reason.as_str() }),
                at: *at,
            },
            ThreadEvent::GroupChanged { group_id, previous_group_id, reason, at } => Self {
                system_type: SystemType::GroupChanged,
                sentence: moving(*reason),
                metadata: json!({ "groupId": group_id, "previousGroupId": previous_group_id, "reason": reason }),
                at: *at,
            },
            ThreadEvent::ThreadClosed { by, at } => Self {
                system_type: SystemType::ThreadClosed,
                sentence: closing(*by),
                metadata: json!({ "closedBy": by }),
                at: *at,
            },
        })
    }
}

const fn leaving(reason: LeaveReason) -> &'static str {
    match reason {
        LeaveReason::Reassigned => "The agent left the chat: another agent took over.",
        LeaveReason::Transferred => "The agent left the chat: it waits for another agent.",
        LeaveReason::AgentOffline => "The agent left the chat: they went offline.",
        LeaveReason::AgentDeleted => "The agent left the chat: their account was deleted.",
        LeaveReason::AgentLeftGroup => "The agent left the chat: they left the group.",
    }
}

const fn moving(reason: GroupChangeReason) -> &'static str {
    match reason {
        GroupChangeReason::Transferred => "The chat was transferred to another group.",
        GroupChangeReason::GroupDeleted => "The chat moved to another group: its group was deleted.",
    }
}

const fn closing(by: Participant) -> &'static str {
    match by {
        Participant::Visitor(_) => "The visitor closed the chat.",
        Participant::Agent(_) => "An agent closed the chat.",
    }
}
