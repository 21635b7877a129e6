use super::event::{Assignment, Handover, Participant, QueueReason, VisitorCard};
use crate::ids::{AgentId, GroupId, TagId, ThreadId};
use crate::text::{Name, Note};
use crate::time::Timestamp;
use crate::visitor::VisitorDetails;

/// What a conversation can be told to do.
#[derive(Clone, Debug)]
pub enum ConversationCommand {
    /// Begin, waiting in a group's queue.
    Start {
        /// The visitor as they introduced themselves.
        visitor: VisitorCard,
        /// The group that serves the chat.
        group_id: GroupId,
        /// The first thread.
        thread_id: ThreadId,
        /// The agent of the visitor's last chat.
        last_agent_id: Option<AgentId>,
        /// When.
        at: Timestamp,
    },
    /// Hand the chat to an agent.
    AssignAgent {
        /// The agent.
        agent_id: AgentId,
        /// Who chose the agent, and why.
        assignment: Assignment,
        /// When.
        at: Timestamp,
    },
    /// Take the chat from its agent and let it wait again.
    ReturnToQueue {
        /// Why.
        reason: QueueReason,
        /// The queue to wait in; the present group's when absent.
        group_id: Option<GroupId>,
        /// Who transfers it, if somebody does.
        handover: Option<Handover>,
        /// When.
        at: Timestamp,
    },
    /// End the chat.
    Close {
        /// Who ends it.
        by: Participant,
        /// Why, in a few words.
        reason: Name,
        /// What the agent wants to remember.
        notes: Option<Note>,
        /// When.
        at: Timestamp,
    },
    /// Go on with a closed chat in a new thread.
    Reopen {
        /// Who goes on.
        by: Participant,
        /// The new thread.
        thread_id: ThreadId,
        /// When.
        at: Timestamp,
    },
    /// Put a tag on.
    AddTag {
        /// The tag.
        tag_id: TagId,
        /// Who does it.
        by: AgentId,
        /// When.
        at: Timestamp,
    },
    /// Take a tag off.
    RemoveTag {
        /// The tag.
        tag_id: TagId,
        /// Who does it.
        by: AgentId,
        /// When.
        at: Timestamp,
    },
    /// Show the visitor as they introduce themselves now.
    ChangeVisitorCard {
        /// All that they have said of themselves.
        details: VisitorDetails,
        /// When.
        at: Timestamp,
    },
}
