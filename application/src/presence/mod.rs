//! Presence: agents whose clients send heartbeats are away when these stop, and back when they come again.
//!
//! Each heartbeat renews a lease of its session. When the last lease of an agent has ended and a grace has passed, an
//! agent who is online becomes away; their chats stay. Who never sent a heartbeat has no lease that could end.

mod change_presence;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::agent::{Agent, AgentStatus};
use domain::ids::{AgentId, CommandId, EntityId, SessionId};
use domain::time::Timestamp;
use sha2::{Digest, Sha256};

use crate::UseCaseError;
use crate::command_bus::{CommandBus, CommandContext, Executed};
use crate::ports::{EndedLease, PresenceStore};
use change_presence::{Change, ChangePresence};

/// How long a heartbeat counts; clients send one about three times as often.
pub const LEASE: Duration = Duration::from_secs(45);

/// How long after the end of the last lease an agent still counts as present: a page is loaded anew, a laptop changes
/// its network.
pub const GRACE: Duration = Duration::from_secs(30);

const ACTOR: &str = "system:presence";

/// What came of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// When the lease of this session ends unless it is renewed.
    pub lease_ends_at: Timestamp,
    /// The agent's status after it.
    pub status: AgentStatus,
}

/// Takes heartbeats, and notices when they stop.
pub struct Presence {
    bus: CommandBus,
    store: Arc<dyn PresenceStore>,
    watching_since: Mutex<Option<Timestamp>>,
}

impl Presence {
    /// Over this store. It notices nothing before [`Self::watch`].
    #[must_use]
    pub fn new(bus: CommandBus, store: Arc<dyn PresenceStore>) -> Arc<Self> {
        Arc::new(Self { bus, store, watching_since: Mutex::new(None) })
    }

    /// The client of a session is there. It brings an agent back online who was away because nothing was heard of
    /// them; what somebody has chosen stays.
    ///
    /// # Errors
    /// When the store or the log does not work.
    pub async fn heartbeat(
        &self,
        context: CommandContext,
        agent_id: AgentId,
        session: SessionId,
    ) -> Result<Executed<Heartbeat>, UseCaseError> {
        let lease_ends_at = self.bus.now().plus(LEASE);
        self.store.keep(agent_id, session, lease_ends_at).await?;
        let agent = self.bus.read::<Agent>(agent_id).await?;
        if !agent.lost {
            return Ok(Executed::nothing(Heartbeat { lease_ends_at, status: agent.status }));
        }
        let executed = self.bus.execute(context, ChangePresence { agent_id, change: Change::Regain }).await?;
        Ok(executed.map(|status| Heartbeat { lease_ends_at, status }))
    }

    /// Begins to notice. Leases that ended while nobody was there to take heartbeats prove nothing: after a start, a
    /// change of the node that watches, or an outage, a whole lease and grace has to pass.
    pub fn watch(&self) {
        *self.watching_since() = Some(self.bus.now());
    }

    /// Makes the agents away of whom nothing was heard for too long.
    ///
    /// # Errors
    /// When the store or the log does not work; what is left is done by the next sweep.
    pub async fn sweep(&self) -> Result<(), UseCaseError> {
        let now = self.bus.now();
        let watched = self.watching_since().is_some_and(|since| now.since(since) >= LEASE + GRACE);
        if !watched {
            return Ok(());
        }
        let by = now.minus(GRACE);
        for ended in self.store.list_ended(by).await? {
            self.settle(ended, by).await?;
        }
        Ok(())
    }

    async fn settle(&self, ended: EndedLease, by: Timestamp) -> Result<(), UseCaseError> {
        let agent_id = ended.agent_id;
        if !self.store.lasts(agent_id, by).await? {
            self.change(ended, Change::Lose).await?;
            // A heartbeat may have come while this was decided, and found nothing to do.
            if self.store.lasts(agent_id, by).await? {
                self.change(ended, Change::Regain).await?;
            }
        }
        // Only now: who is interrupted before this comes back to it.
        Ok(self.store.forget_ended(agent_id, by).await?)
    }

    /// The command's id repeats with the lease, so that its end is recorded once, whoever notices it.
    async fn change(&self, ended: EndedLease, change: Change) -> Result<(), UseCaseError> {
        let EndedLease { agent_id, ended_at } = ended;
        let (agent, end) = (agent_id.to_string(), ended_at.as_micros().to_string());
        let command_id = CommandId::derived(&["presence", change.as_str(), &agent, &end]);
        let digest = Sha256::digest(format!("{}:{agent}@{end}", change.as_str())).into();
        let context = self.bus.context(ACTOR.to_owned(), agent_id.uuid()).repeatable(command_id, digest);
        match self.bus.execute(context, ChangePresence { agent_id, change }).await {
            // A deleted agent is not missed.
            Ok(_) | Err(UseCaseError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn watching_since(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.watching_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
