//! The process manager that finds agents for waiting chats.
//!
//! It folds the log into a [`domain::routing::RoutingState`], decides with the pure functions of `domain::routing` and dispatches
//! `AssignAgent`. Its state is stored like a read model, with a checkpoint, so that a restart or another node goes on
//! where it stopped; a command id that repeats with the wait makes a second dispatch of the same choice harmless.

mod dispatch;
mod memory;
mod state;

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::ids::{AgentId, ConversationId, GroupId};
use domain::routing::{RoutedAgent, RoutedGroup, WaitingChat};
use domain::time::Timestamp;

pub use dispatch::Router;
pub use memory::RouterMemory;

use crate::ports::StoreError;

/// The stored parts of the router's state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoutingSnapshot {
    pub agents: BTreeMap<AgentId, RoutedAgent>,
    pub groups: BTreeMap<GroupId, RoutedGroup>,
    /// The chats that wait.
    pub waiting: BTreeMap<ConversationId, WaitingChat>,
    /// The original places of the chats that are served.
    pub served: BTreeMap<ConversationId, i64>,
    pub default_group_id: Option<GroupId>,
}

/// A part of the router's state as it is now, to be stored in the place of what is stored of it.
#[derive(Clone, Debug, PartialEq)]
pub enum RoutingPart {
    Agent(AgentId, RoutedAgent),
    Group(GroupId, RoutedGroup),
    DefaultGroup(GroupId),
    /// A chat that waits.
    Waiting(ConversationId, WaitingChat),
    /// A chat that is served, with its original place.
    Served(ConversationId, i64),
    /// A chat that neither waits nor is served.
    Gone(ConversationId),
}

/// A failed attempt to assign a waiting chat.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedAttempt {
    /// The chat.
    pub conversation_id: ConversationId,
    /// The position that names its wait: an attempt for an earlier wait must not be stored on a later one.
    pub waiting_since: i64,
    /// How many attempts have failed for this wait.
    pub attempts: u32,
    /// When to try again.
    pub next_attempt_at: Timestamp,
    /// What went wrong.
    pub reason: String,
}

/// Stores failed attempts, so that a restart neither forgets nor hurries them.
#[async_trait]
pub trait AttemptStore: Send + Sync + 'static {
    /// Stores a failed attempt on its wait; does nothing if that wait has already ended.
    ///
    /// # Errors
    /// When the store does not work.
    async fn save_failure(&self, attempt: &FailedAttempt) -> Result<(), StoreError>;
}
