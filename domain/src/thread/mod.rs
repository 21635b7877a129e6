//! One phase of a conversation, with its messages.

mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use command::ThreadCommand;
pub use error::ThreadError;
pub use event::{GroupChangeReason, JoinCause, LeaveReason, ThreadEvent};

use crate::aggregate::aggregate;
use crate::conversation::Participant;
use crate::ids::{AgentId, ConversationId, EventId, ThreadId, VisitorId};
use crate::text::ClientEventId;
use crate::time::Timestamp;

/// What the rules need to know of a thread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// `None` until the thread starts.
    pub conversation_id: Option<ConversationId>,
    /// The visitor who may write.
    pub visitor_id: Option<VisitorId>,
    /// The agents who may write.
    pub agent_ids: BTreeSet<AgentId>,
    pub closed: bool,
    /// How many messages there are, by side.
    pub messages: Messages,
    /// The first message, if its client has named it.
    pub opening: Option<Opening>,
    /// The position up to which the visitor has read.
    pub read_by_visitor: i64,
    /// The position up to which each agent has read.
    pub read_by_agents: BTreeMap<AgentId, i64>,
}

/// The message that came with the chat. It has no command of its own: a client that sends it again as a message is recognised
/// by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    pub client_event_id: ClientEventId,
    pub message_id: EventId,
    pub at: Timestamp,
}

/// A number of messages of each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages {
    pub of_visitor: u32,
    pub of_agents: u32,
}

impl Messages {
    /// Counts a message of this author.
    pub const fn add(&mut self, author: Participant) {
        match author {
            Participant::Visitor(_) => self.of_visitor = self.of_visitor.saturating_add(1),
            Participant::Agent(_) => self.of_agents = self.of_agents.saturating_add(1),
        }
    }

    /// Those that this reader has to read: the other side's.
    #[must_use]
    pub const fn for_reader(self, reader: Participant) -> u32 {
        match reader {
            Participant::Visitor(_) => self.of_agents,
            Participant::Agent(_) => self.of_visitor,
        }
    }
}

aggregate!(Thread, Thread, ThreadId, ThreadCommand, ThreadEvent, ThreadError, "3");

impl Thread {
    fn decide_command(&self, command: ThreadCommand) -> Result<Vec<ThreadEvent>, ThreadError> {
        match command {
            ThreadCommand::Start { conversation_id, visitor_id, previous_thread_id, at } => {
                if self.conversation_id.is_some() {
                    return Err(ThreadError::AlreadyStarted);
                }
                Ok(vec![ThreadEvent::ThreadStarted { conversation_id, visitor_id, previous_thread_id, at }])
            }
            ThreadCommand::SendMessage { message_id, author, text, client_event_id, metadata, at } => {
                let conversation_id = self.conversation_id.ok_or(ThreadError::NotStarted)?;
                // Checked first: a stranger must not learn whether the thread is open.
                self.ensure_participant(author)?;
                self.ensure_open()?;
                Ok(vec![ThreadEvent::MessageSent {
                    conversation_id,
                    message_id,
                    author,
                    text,
                    client_event_id,
                    metadata,
                    at,
                }])
            }
            ThreadCommand::AgentJoins { agent_id, cause, at } => {
                self.ensure_open()?;
                if self.agent_ids.contains(&agent_id) {
                    return Ok(vec![]);
                }
                Ok(vec![ThreadEvent::AgentJoined { agent_id, cause: Some(cause), at }])
            }
            ThreadCommand::AgentLeaves { agent_id, reason, at } => {
                self.ensure_open()?;
                if !self.agent_ids.contains(&agent_id) {
                    return Ok(vec![]);
                }
                Ok(vec![ThreadEvent::AgentLeft { agent_id, reason, at }])
            }
            ThreadCommand::ChangeGroup { group_id, previous_group_id, reason, at } => {
                self.ensure_open()?;
                if group_id == previous_group_id {
                    return Ok(vec![]);
                }
                Ok(vec![ThreadEvent::GroupChanged { group_id, previous_group_id, reason, at }])
            }
            ThreadCommand::MarkRead { reader, up_to, unread, serves_chat, at } => {
                let conversation_id = self.conversation_id.ok_or(ThreadError::NotStarted)?;
                if !serves_chat {
                    self.ensure_participant(reader)?;
                }
                // A device that is behind takes nothing back.
                if up_to <= self.read_by(reader) {
                    return Ok(vec![]);
                }
                Ok(vec![ThreadEvent::MessagesRead { conversation_id, reader, up_to, unread, at }])
            }
            ThreadCommand::Close { by, at } => {
                self.ensure_started()?;
                if self.closed {
                    return Ok(vec![]);
                }
                Ok(vec![ThreadEvent::ThreadClosed { by, at }])
            }
        }
    }

    /// The position up to which a participant has read; 0 before the first time.
    #[must_use]
    pub fn read_by(&self, reader: Participant) -> i64 {
        match reader {
            Participant::Visitor(_) => self.read_by_visitor,
            Participant::Agent(id) => self.read_by_agents.get(&id).copied().unwrap_or_default(),
        }
    }

    const fn ensure_started(&self) -> Result<(), ThreadError> {
        if self.conversation_id.is_some() { Ok(()) } else { Err(ThreadError::NotStarted) }
    }

    fn ensure_open(&self) -> Result<(), ThreadError> {
        self.ensure_started()?;
        if self.closed { Err(ThreadError::ThreadClosed) } else { Ok(()) }
    }

    fn ensure_participant(&self, author: Participant) -> Result<(), ThreadError> {
        let takes_part = match author {
            Participant::Visitor(id) => self.visitor_id == Some(id),
            Participant::Agent(id) => self.agent_ids.contains(&id),
        };
        if takes_part { Ok(()) } else { Err(ThreadError::NotAParticipant) }
    }

    fn on(&mut self, event: ThreadEvent) {
        match event {
            ThreadEvent::ThreadStarted { conversation_id, visitor_id, .. } => {
                self.conversation_id = Some(conversation_id);
                self.visitor_id = Some(visitor_id);
            }
            ThreadEvent::MessageSent { author, client_event_id, message_id, at, .. } => {
                let is_first = self.messages == Messages::default() && matches!(author, Participant::Visitor(_));
                if let Some(client_event_id) = client_event_id.filter(|_| is_first) {
                    self.opening = Some(Opening { client_event_id, message_id, at });
                }
                self.messages.add(author);
            }
            ThreadEvent::GroupChanged { .. } => {}
            ThreadEvent::AgentJoined { agent_id, .. } => {
                self.agent_ids.insert(agent_id);
            }
            ThreadEvent::AgentLeft { agent_id, .. } => {
                self.agent_ids.remove(&agent_id);
            }
            ThreadEvent::ThreadClosed { .. } => self.closed = true,
            ThreadEvent::MessagesRead { reader: Participant::Visitor(_), up_to, .. } => self.read_by_visitor = up_to,
            ThreadEvent::MessagesRead { reader: Participant::Agent(id), up_to, .. } => {
                self.read_by_agents.insert(id, up_to);
            }
        }
    }
}
