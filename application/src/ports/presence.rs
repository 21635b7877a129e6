//! The leases of agents' sessions.

use async_trait::async_trait;
use domain::ids::{AgentId, SessionId};
use domain::time::Timestamp;

use super::system::StoreError;

/// The last of an agent's leases that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedLease {
    pub agent_id: AgentId,
    pub ended_at: Timestamp,
}

/// Stores the leases that heartbeats renew: one for each session of an agent.
#[async_trait]
pub trait PresenceStore: Send + Sync + 'static {
    /// Extends the lease of a session.
    ///
    /// # Errors
    /// If the store fails.
    async fn keep(&self, agent: AgentId, session: SessionId, until: Timestamp) -> Result<(), StoreError>;

    /// Lists the agents with leases that ended by then, each with the last of these. Other leases of theirs may last.
    ///
    /// # Errors
    /// If the store fails.
    async fn list_ended(&self, by: Timestamp) -> Result<Vec<EndedLease>, StoreError>;

    /// Lets no lease end later than then.
    ///
    /// # Errors
    /// If the store fails.
    async fn shorten(&self, until: Timestamp) -> Result<(), StoreError>;

    /// Whether a lease of the agent lasts longer than `until`.
    ///
    /// # Errors
    /// If the store fails.
    async fn lasts(&self, agent: AgentId, until: Timestamp) -> Result<bool, StoreError>;

    /// Deletes the agent's leases that ended by then.
    ///
    /// # Errors
    /// If the store fails.
    async fn forget_ended(&self, agent: AgentId, by: Timestamp) -> Result<(), StoreError>;
}
