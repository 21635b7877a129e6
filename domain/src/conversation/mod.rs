//! A visitor's chat through all its threads: its agent, its queue, its end.

mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use command::ConversationCommand;
pub use error::ConversationError;
pub use event::{Assignment, ConversationEvent, Handover, Participant, QueueReason, VisitorCard};

use crate::aggregate::aggregate;
use crate::ids::{AgentId, ConversationId, GroupId, TagId, ThreadId, VisitorId};
use crate::text::{Name, Note};
use crate::time::Timestamp;

/// The phase of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationStatus {
    /// The chat waits for an agent.
    #[default]
    Pending,
    /// An agent serves the chat.
    Active,
    /// It may be reopened.
    Closed,
}

impl ConversationStatus {
    /// As in JSON and in read models.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Closed => "closed",
        }
    }

    /// The inverse of [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Active, Self::Closed].into_iter().find(|status| status.as_str() == name)
    }
}

/// What the rules need to know of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    pub status: ConversationStatus,
    /// `None` until the chat starts.
    pub visitor_id: Option<VisitorId>,
    /// The group whose queue holds the chat and whose agents serve it.
    pub group_id: Option<GroupId>,
    /// The agent who serves the chat now.
    pub agent_id: Option<AgentId>,
    pub last_agent_id: Option<AgentId>,
    /// The thread that takes messages; `None` while the chat is closed.
    pub active_thread_id: Option<ThreadId>,
    /// Oldest first.
    pub thread_ids: Vec<ThreadId>,
    pub tag_ids: BTreeSet<TagId>,
    pub closed_by: Option<Participant>,
    pub closed_at: Option<Timestamp>,
    /// A digest of the reason and notes of the last close by an agent, to recognise a repeated request. A visitor's
    /// words are not kept, not even as a digest: a state must hold nothing that erasure would have to remove.
    pub closing_words: Option<Uuid>,
}

aggregate!(Conversation, Conversation, ConversationId, ConversationCommand, ConversationEvent, ConversationError, "3");

impl Conversation {
    /// The most threads of a conversation: answers and lists name all of them, so that they must not grow for ever.
    pub const MAX_THREADS: usize = 100;

    #[must_use]
    pub const fn has_started(&self) -> bool {
        self.visitor_id.is_some()
    }

    fn decide_command(&self, command: ConversationCommand) -> Result<Vec<ConversationEvent>, ConversationError> {
        match command {
            ConversationCommand::Start { visitor, group_id, thread_id, last_agent_id, at } => {
                if self.has_started() {
                    return Err(ConversationError::AlreadyStarted);
                }
                Ok(vec![ConversationEvent::ChatStarted { visitor, group_id, thread_id, last_agent_id, at }])
            }
            ConversationCommand::AssignAgent { agent_id, assignment, at } => self.assign(agent_id, assignment, at),
            ConversationCommand::ReturnToQueue { reason, group_id, handover, at } => {
                self.return_to_queue(reason, group_id, handover, at)
            }
            ConversationCommand::Close { by, reason, notes, at } => {
                self.ensure_started()?;
                if self.status == ConversationStatus::Closed {
                    // A repeated request must not close twice, but another reason or other notes must not be dropped
                    // silently either.
                    let same_words = self.closing_words.is_none_or(|words| words == digest(&reason, notes.as_ref()));
                    let repeated = self.closed_by == Some(by) && same_words;
                    return if repeated { Ok(vec![]) } else { Err(ConversationError::ChatClosed) };
                }
                let thread_id = self.active_thread_id.ok_or(ConversationError::NotStarted)?;
                let agent_id = self.agent_id;
                Ok(vec![ConversationEvent::ChatClosed { by, reason, notes, agent_id, thread_id, at }])
            }
            ConversationCommand::Reopen { by, thread_id, at } => self.reopen(by, thread_id, at),
            ConversationCommand::ChangeVisitorCard { details, at } => {
                self.ensure_open()?;
                let id = self.visitor_id.ok_or(ConversationError::NotStarted)?;
                let visitor = VisitorCard::new(id, details);
                Ok(vec![ConversationEvent::VisitorCardChanged { visitor, at }])
            }
            ConversationCommand::AddTag { tag_id, by, at } => {
                self.ensure_started()?;
                if self.tag_ids.contains(&tag_id) {
                    return Ok(vec![]);
                }
                Ok(vec![ConversationEvent::ChatTagged { tag_id, by, at }])
            }
            ConversationCommand::RemoveTag { tag_id, by, at } => {
                self.ensure_started()?;
                if !self.tag_ids.contains(&tag_id) {
                    return Ok(vec![]);
                }
                Ok(vec![ConversationEvent::ChatUntagged { tag_id, by, at }])
            }
        }
    }

    fn assign(
        &self,
        agent_id: AgentId,
        assignment: Assignment,
        at: Timestamp,
    ) -> Result<Vec<ConversationEvent>, ConversationError> {
        let thread_id = self.ensure_open()?;
        // A human's choice always wins over the router.
        if assignment.is_routed() && self.agent_id.is_some() {
            return Err(ConversationError::AlreadyAssigned);
        }
        if self.agent_id == Some(agent_id) {
            return Ok(vec![]);
        }
        let previous_agent_id = self.agent_id;
        Ok(vec![ConversationEvent::AgentAssigned { agent_id, previous_agent_id, thread_id, assignment, at }])
    }

    fn return_to_queue(
        &self,
        reason: QueueReason,
        group_id: Option<GroupId>,
        handover: Option<Handover>,
        at: Timestamp,
    ) -> Result<Vec<ConversationEvent>, ConversationError> {
        self.ensure_open()?;
        let group_id = group_id.or(self.group_id).ok_or(ConversationError::NotStarted)?;
        let nothing_changes = self.agent_id.is_none() && self.group_id == Some(group_id);
        if nothing_changes {
            return Ok(vec![]);
        }
        let previous_agent_id = self.agent_id;
        Ok(vec![ConversationEvent::ChatReturnedToQueue { group_id, previous_agent_id, reason, handover, at }])
    }

    fn reopen(
        &self,
        by: Participant,
        thread_id: ThreadId,
        at: Timestamp,
    ) -> Result<Vec<ConversationEvent>, ConversationError> {
        self.ensure_started()?;
        if self.status != ConversationStatus::Closed {
            return Err(ConversationError::ChatOpen);
        }
        if self.thread_ids.len() >= Self::MAX_THREADS {
            return Err(ConversationError::TooManyThreads);
        }
        let previous_thread_id = *self.thread_ids.last().ok_or(ConversationError::NotStarted)?;
        let group_id = self.group_id.ok_or(ConversationError::NotStarted)?;
        let last_agent_id = self.last_agent_id;
        Ok(vec![ConversationEvent::ChatReopened { by, thread_id, previous_thread_id, group_id, last_agent_id, at }])
    }

    const fn ensure_started(&self) -> Result<(), ConversationError> {
        if self.has_started() { Ok(()) } else { Err(ConversationError::NotStarted) }
    }

    fn ensure_open(&self) -> Result<ThreadId, ConversationError> {
        self.ensure_started()?;
        self.active_thread_id.ok_or(ConversationError::ChatClosed)
    }

    fn on(&mut self, event: ConversationEvent) {
        match event {
            ConversationEvent::ChatStarted { visitor, group_id, thread_id, .. } => {
                self.visitor_id = Some(visitor.id);
                self.group_id = Some(group_id);
                self.open_thread(thread_id);
            }
            ConversationEvent::AgentAssigned { agent_id, .. } => {
                self.status = ConversationStatus::Active;
                self.agent_id = Some(agent_id);
                self.last_agent_id = Some(agent_id);
            }
            ConversationEvent::ChatReturnedToQueue { group_id, .. } => {
                self.status = ConversationStatus::Pending;
                self.group_id = Some(group_id);
                self.agent_id = None;
            }
            ConversationEvent::ChatClosed { by, reason, notes, at, .. } => {
                self.status = ConversationStatus::Closed;
                self.agent_id = None;
                self.active_thread_id = None;
                self.closed_by = Some(by);
                self.closed_at = Some(at);
                let by_agent = matches!(by, Participant::Agent(_));
                self.closing_words = by_agent.then(|| digest(&reason, notes.as_ref()));
            }
            ConversationEvent::ChatReopened { thread_id, .. } => {
                self.closed_by = None;
                self.closed_at = None;
                self.closing_words = None;
                self.open_thread(thread_id);
            }
            ConversationEvent::ChatTagged { tag_id, .. } => {
                self.tag_ids.insert(tag_id);
            }
            ConversationEvent::ChatUntagged { tag_id, .. } => {
                self.tag_ids.remove(&tag_id);
            }
            ConversationEvent::VisitorCardChanged { .. } => {}
        }
    }

    fn open_thread(&mut self, thread_id: ThreadId) {
        self.status = ConversationStatus::Pending;
        self.active_thread_id = Some(thread_id);
        self.thread_ids.push(thread_id);
    }
}

/// A name-based UUID (RFC 9562 §5.5): equal words give equal digests.
fn digest(reason: &Name, notes: Option<&Note>) -> Uuid {
    // A reason has no line break, so the two parts cannot run into each other.
    let words = format!("{}\n{}", reason.as_str(), notes.map_or("", Note::as_str));
    Uuid::new_v5(&Uuid::NAMESPACE_OID, words.as_bytes())
}
