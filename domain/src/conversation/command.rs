use super::event::{Assignment, Handover, Participant, QueueReason, VisitorCard};
use crate::ids::{AgentId, GroupId, TagId, ThreadId};
use crate::text::{Name, Note};
use crate::time::Timestamp;
use crate::visitor::VisitorDetails;

/// Orders to a conversation.
#[derive(Clone, Debug)]
pub enum ConversationCommand {
    /// The chat begins in the queue of a group.
    Start {
        visitor: VisitorCard,
        group_id: GroupId,
        thread_id: ThreadId,
        /// The agent of the visitor's previous chat; the sticky strategy prefers them.
        last_agent_id: Option<AgentId>,
        at: Timestamp,
    },
    AssignAgent {
        agent_id: AgentId,
        assignment: Assignment,
        at: Timestamp,
    },
    /// Takes the chat from its agent; it waits again.
    ReturnToQueue {
        reason: QueueReason,
        /// The queue to wait in; `None` keeps the present group.
        group_id: Option<GroupId>,
        /// Set when a person transfers the chat.
        handover: Option<Handover>,
        at: Timestamp,
    },
    Close {
        by: Participant,
        reason: Name,
        /// The agent's notes, which visitors do not see.
        notes: Option<Note>,
        at: Timestamp,
    },
    /// Continues a closed chat in a new thread.
    Reopen {
        by: Participant,
        thread_id: ThreadId,
        at: Timestamp,
    },
    AddTag {
        tag_id: TagId,
        by: AgentId,
        at: Timestamp,
    },
    RemoveTag {
        tag_id: TagId,
        by: AgentId,
        at: Timestamp,
    },
    /// Shows the visitor's latest details in the chat.
    ChangeVisitorCard {
        /// All details, not only the changed ones.
        details: VisitorDetails,
        at: Timestamp,
    },
}
