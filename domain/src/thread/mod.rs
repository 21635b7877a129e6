//! One phase of a conversation, with its messages.

mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use command::ThreadCommand;
pub use error::ThreadError;
pub use event::{GroupChangeReason, JoinCause, LeaveReason, ThreadEvent};

use crate::aggregate::aggregate;
use crate::conversation::Participant;
use crate::ids::{AgentId, ConversationId, ThreadId, VisitorId};

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
}

aggregate!(Thread, Thread, ThreadId, ThreadCommand, ThreadEvent, ThreadError);

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
            ThreadCommand::Close { by, at } => {
                self.ensure_started()?;
                if self.closed {
                    return Ok(vec![]);
                }
                Ok(vec![ThreadEvent::ThreadClosed { by, at }])
            }
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
            ThreadEvent::MessageSent { .. } | ThreadEvent::GroupChanged { .. } => {}
            ThreadEvent::AgentJoined { agent_id, .. } => {
                self.agent_ids.insert(agent_id);
            }
            ThreadEvent::AgentLeft { agent_id, .. } => {
                self.agent_ids.remove(&agent_id);
            }
            ThreadEvent::ThreadClosed { .. } => self.closed = true,
        }
    }
}
