use super::event::{GroupChangeReason, JoinCause, LeaveReason};
use crate::conversation::Participant;
use crate::ids::{AgentId, ConversationId, EventId, GroupId, ThreadId, VisitorId};
use crate::text::{ClientEventId, MessageText, Metadata};
use crate::time::Timestamp;

/// Orders to a thread.
#[derive(Clone, Debug)]
pub enum ThreadCommand {
    Start {
        conversation_id: ConversationId,
        visitor_id: VisitorId,
        previous_thread_id: Option<ThreadId>,
        at: Timestamp,
    },
    SendMessage {
        message_id: EventId,
        author: Participant,
        text: MessageText,
        /// The client's own id, which makes a repeated request recognisable.
        client_event_id: Option<ClientEventId>,
        /// A JSON object that clients get back with the message.
        metadata: Option<Metadata>,
        at: Timestamp,
    },
    AgentJoins {
        agent_id: AgentId,
        cause: JoinCause,
        at: Timestamp,
    },
    AgentLeaves {
        agent_id: AgentId,
        reason: LeaveReason,
        at: Timestamp,
    },
    /// Records that another group serves the chat.
    ChangeGroup {
        group_id: GroupId,
        previous_group_id: GroupId,
        reason: GroupChangeReason,
        at: Timestamp,
    },
    /// Notes how far a participant has read.
    MarkRead {
        reader: Participant,
        /// The position of the last message that the reader has seen.
        up_to: i64,
        /// The later messages of the other side in the conversation.
        unread: u32,
        /// Whether the reader is the agent who serves the conversation now: earlier threads are theirs to read, too.
        serves_chat: bool,
        at: Timestamp,
    },
    Close {
        by: Participant,
        at: Timestamp,
    },
}
