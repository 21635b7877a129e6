//! The process manager that finds agents for waiting chats.
//!
//! It folds the log into a [`domain::routing::RoutingState`], decides with the pure functions of `domain::routing` and
//! dispatches `AssignAgent`. The subscriber in `projections::routing` drives it: it passes the events on and stores
//! the state with a checkpoint, so that a restart or another node continues where this one stopped. Command ids follow from
//! the wait, so that a second dispatch of the same choice changes nothing.

mod dispatch;
mod memory;
mod state;

use async_trait::async_trait;
use domain::ids::{AgentId, ConversationId, GroupId};
use domain::routing::{RoutedAgent, RoutedGroup, WaitingChat};
use domain::time::Timestamp;

pub use dispatch::Router;
pub use domain::routing::RoutingSnapshot;
pub use memory::RouterMemory;

use crate::ports::StoreError;

/// A changed part of the router's state, which replaces the stored one.
#[derive(Clone, Debug, PartialEq)]
pub enum RoutingPart {
    Agent(AgentId, RoutedAgent),
    Group(GroupId, RoutedGroup),
    DefaultGroup(GroupId),
    /// The chat waits.
    Waiting(ConversationId, WaitingChat),
    /// An agent serves the chat; the number is its original place in the queue.
    Served(ConversationId, i64),
    /// The chat neither waits nor is served.
    Gone(ConversationId),
}

/// A failed attempt to assign a waiting chat.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedAttempt {
    pub conversation_id: ConversationId,
    /// The position that names the wait: an attempt of an earlier wait must not be stored on a later one.
    pub waiting_since: i64,
    /// Failed attempts of this wait.
    pub attempts: u32,
    /// When the router tries again.
    pub next_attempt_at: Timestamp,
    /// The error, for people.
    pub reason: String,
}

/// Stores failed attempts, so that a restart neither forgets nor shortens their back-off.
#[async_trait]
pub trait AttemptStore: Send + Sync + 'static {
    /// Stores a failed attempt on its wait; does nothing if that wait has already ended.
    ///
    /// # Errors
    /// If the store fails.
    async fn save_failure(&self, attempt: &FailedAttempt) -> Result<(), StoreError>;
}
