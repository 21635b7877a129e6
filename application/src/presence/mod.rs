//! Presence: an agent becomes away when the heartbeats of their clients stop, and online when they come back.
//!
//! Each heartbeat renews the lease of its session. When an agent's last lease has ended and a grace period has passed,
//! an online agent becomes away and keeps all chats. An agent whose clients never sent a heartbeat has no lease to
//! lose.

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
use change_presence::{ChangePresence, PresenceChange};

/// How long a heartbeat counts. Clients send one about every third of it.
pub const LEASE: Duration = Duration::from_secs(45);

/// How long an agent still counts as present after the last lease, for example while a page reloads or a laptop changes
/// its network.
pub const GRACE: Duration = Duration::from_secs(30);

/// When the clock and the time that has passed differ by more between two looks, the clock was set, or the machine slept.
const STEP: Duration = Duration::from_secs(5);

const ACTOR: &str = "system:presence";

/// The answer to a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// When this session's lease ends unless another heartbeat renews it.
    pub lease_ends_at: Timestamp,
    /// The agent's status after the heartbeat.
    pub status: AgentStatus,
}

/// Takes heartbeats and notices when they stop.
pub struct Presence {
    bus: CommandBus,
    store: Arc<dyn PresenceStore>,
    watching: Mutex<Option<Watch>>,
}

/// Since when this node watches, and when it looked last.
#[derive(Clone, Copy)]
struct Watch {
    since: Duration,
    /// The clock and the time that had passed at the last look; none before the first one.
    looked: Option<(Timestamp, Duration)>,
}

impl Watch {
    /// Whether leases may end at wrong times: before the first look nobody knows, and later the clock was set.
    fn is_out_of_step(&self, now: Timestamp, elapsed: Duration) -> bool {
        let Some((then, before)) = self.looked else { return true };
        let by_clock = now.as_micros().saturating_sub(then.as_micros());
        let passed = i64::try_from(elapsed.saturating_sub(before).as_micros()).unwrap_or(i64::MAX);
        u128::from(by_clock.abs_diff(passed)) > STEP.as_micros()
    }
}

impl Presence {
    /// It notices nothing before [`Self::watch`].
    #[must_use]
    pub fn new(bus: CommandBus, store: Arc<dyn PresenceStore>) -> Arc<Self> {
        Arc::new(Self { bus, store, watching: Mutex::new(None) })
    }

    /// Renews the session's lease, and brings the agent back online if missing heartbeats had made them away. A status
    /// that a person has chosen stays.
    ///
    /// # Errors
    /// If the store or the log fails.
    pub async fn heartbeat(
        &self,
        context: CommandContext,
        agent_id: AgentId,
        session: SessionId,
    ) -> Result<Executed<Heartbeat>, UseCaseError> {
        // First: a node whose log was set back keeps no lease.
        let agent = self.bus.read::<Agent>(agent_id).await?;
        let lease_ends_at = self.bus.now().plus(LEASE);
        self.store.keep(agent_id, session, lease_ends_at).await?;
        if !agent.lost {
            return Ok(Executed::nothing(Heartbeat { lease_ends_at, status: agent.status }));
        }
        let executed = self.bus.execute(context, ChangePresence { agent_id, change: PresenceChange::Regain }).await?;
        Ok(executed.map(|status| Heartbeat { lease_ends_at, status }))
    }

    /// Begins to watch for missing heartbeats. Leases that ended while no node took heartbeats prove nothing: after a
    /// start, a change of the watching node or an outage, a whole lease and grace period has to pass first.
    pub fn watch(&self) {
        *self.watching() = Some(Watch { since: self.bus.elapsed(), looked: None });
    }

    /// Makes agents away whose last lease and grace period have ended.
    ///
    /// # Errors
    /// If the store or the log fails; the next sweep does the rest.
    pub async fn sweep(&self) -> Result<(), UseCaseError> {
        let (now, elapsed) = (self.bus.now(), self.bus.elapsed());
        let Some(watch) = *self.watching() else { return Ok(()) };
        let looked = Some((now, elapsed));
        if watch.is_out_of_step(now, elapsed) {
            // Spans are measured by the clock of the leases: after a step, what is in the table proves nothing.
            self.store.shorten(now.plus(LEASE)).await?;
            let since = if watch.looked.is_some() { elapsed } else { watch.since };
            *self.watching() = Some(Watch { since, looked });
        } else {
            *self.watching() = Some(Watch { looked, ..watch });
        }
        let since = self.watching().map_or(elapsed, |watch| watch.since);
        if elapsed.saturating_sub(since) < LEASE + GRACE {
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
            self.change(ended, PresenceChange::Lose).await?;
            // A heartbeat may have come in between, when the agent was not away yet.
            if self.store.lasts(agent_id, by).await? {
                self.change(ended, PresenceChange::Regain).await?;
            }
        }
        // Last, so that an interrupted sweep finds the lease again.
        Ok(self.store.forget_ended(agent_id, by).await?)
    }

    /// The command's id follows from the lease, so that its end is recorded once, whichever node notices it.
    async fn change(&self, ended: EndedLease, change: PresenceChange) -> Result<(), UseCaseError> {
        let EndedLease { agent_id, ended_at } = ended;
        let (agent, end) = (agent_id.to_string(), ended_at.as_micros().to_string());
        let command_id = CommandId::derived(&["presence", change.as_str(), &agent, &end]);
        let digest = Sha256::digest(format!("{}:{agent}@{end}", change.as_str())).into();
        let context = self.bus.context(ACTOR.to_owned(), agent_id.uuid()).repeatable(command_id, digest);
        match self.bus.execute(context, ChangePresence { agent_id, change }).await {
            // The agent was deleted in the meantime.
            Ok(_) | Err(UseCaseError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn watching(&self) -> MutexGuard<'_, Option<Watch>> {
        self.watching.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
