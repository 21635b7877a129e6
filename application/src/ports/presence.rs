//! Who was heard of lately.

use async_trait::async_trait;
use domain::ids::{AgentId, SessionId};
use domain::time::Timestamp;

use super::system::StoreError;

/// The last lease of an agent that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedLease {
    pub agent_id: AgentId,
    pub ended_at: Timestamp,
}

/// Keeps the leases that heartbeats renew: one for each session of an agent.
#[async_trait]
pub trait PresenceStore: Send + Sync + 'static {
    /// Lets the lease of a session last until then.
    ///
    /// # Errors
    /// When the store does not work.
    async fn keep(&self, agent: AgentId, session: SessionId, until: Timestamp) -> Result<(), StoreError>;

    /// The agents with leases that ended by then, each with the last of these; others of theirs may still last.
    ///
    /// # Errors
    /// When the store does not work.
    async fn list_ended(&self, by: Timestamp) -> Result<Vec<EndedLease>, StoreError>;

    /// Whether a lease of the agent lasts longer than until then.
    ///
    /// # Errors
    /// When the store does not work.
    async fn lasts(&self, agent: AgentId, until: Timestamp) -> Result<bool, StoreError>;

    /// Forgets the agent's leases that ended by then.
    ///
    /// # Errors
    /// When the store does not work.
    async fn forget_ended(&self, agent: AgentId, by: Timestamp) -> Result<(), StoreError>;
}
