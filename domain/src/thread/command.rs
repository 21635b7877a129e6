use super::event::{GroupChangeReason, JoinCause, LeaveReason};
use crate::conversation::Participant;
use crate::ids::{AgentId, ConversationId, EventId, GroupId, ThreadId, VisitorId};
use crate::text::{ClientEventId, MessageText};
use crate::time::Timestamp;

/// What a thread can be told to do.
#[derive(Clone, Debug)]
pub enum ThreadCommand {
    /// Begin.
    Start {
        /// The conversation.
        conversation_id: ConversationId,
        /// Its visitor.
        visitor_id: VisitorId,
        /// The thread before it.
        previous_thread_id: Option<ThreadId>,
        /// When.
        at: Timestamp,
    },
    /// Take a message.
    SendMessage {
        /// The id of the message.
        message_id: EventId,
        /// Who writes.
        author: Participant,
        /// What.
        text: MessageText,
        /// The client's own id of the message.
        client_event_id: Option<ClientEventId>,
        /// What the client wants to have back with the message: a JSON object.
        metadata: Option<serde_json::Value>,
        /// When.
        at: Timestamp,
    },
    /// Let an agent take part.
    AgentJoins {
        /// The agent.
        agent_id: AgentId,
        /// How they came to.
        cause: JoinCause,
        /// When.
        at: Timestamp,
    },
    /// Let an agent take part no more.
    AgentLeaves {
        /// The agent.
        agent_id: AgentId,
        /// Why.
        reason: LeaveReason,
        /// When.
        at: Timestamp,
    },
    /// Tell that another group serves the chat.
    ChangeGroup {
        /// The group.
        group_id: GroupId,
        /// The group before.
        previous_group_id: GroupId,
        /// Why.
        reason: GroupChangeReason,
        /// When.
        at: Timestamp,
    },
    /// End.
    Close {
        /// Who ends it.
        by: Participant,
        /// When.
        at: Timestamp,
    },
}
