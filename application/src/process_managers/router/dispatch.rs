use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::agent::AgentError;
use domain::conversation::ConversationError;
use domain::ids::{AgentId, CommandId, ConversationId, EntityId};
use domain::routing::{Proposal, Relocation, RoutingState};
use domain::time::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, Semaphore};

use super::state::fold;
use super::{AttemptStore, FailedAttempt, RoutingPart, RoutingSnapshot};
use crate::UseCaseError;
use crate::backoff::Backoff;
use crate::chat::{AssignAgent, Chooser, RelieveAgent, RelocateChat};
use crate::command_bus::{CommandBus, CommandContext};
use crate::ports::{Clock, Hash, Ids, LogEvent};

const ACTOR: &str = "system:router";

/// The pauses between attempts to find an agent for one chat.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(50), longest: Duration::from_secs(30), jitter: 0.5 };

/// How many assignments are carried out at the same time.
const MAX_IN_FLIGHT: usize = 64;

/// After this long without any cause every queue is looked at all the same.
const SWEEP: Duration = Duration::from_secs(15);

/// Finds agents for waiting chats.
pub struct Router {
    /// None while another node routes.
    state: Mutex<Option<RoutingState>>,
    work: Notify,
    permits: Arc<Semaphore>,
    bus: CommandBus,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    attempts: Arc<dyn AttemptStore>,
}

/// What the router has decided about a wait.
struct Order {
    conversation_id: ConversationId,
    waiting_since: i64,
    action: Action,
}

enum Action {
    Assign(AssignAgent),
    Relocate(RelocateChat),
}

impl Order {
    fn assign(proposal: Proposal) -> Self {
        let Proposal { conversation_id, agent_id, group_id, waiting_since, decision } = proposal;
        let assign = AssignAgent { conversation_id, agent_id, chooser: Chooser::Router { group_id, decision } };
        Self { conversation_id, waiting_since, action: Action::Assign(assign) }
    }

    fn relocate(relocation: Relocation) -> Self {
        let Relocation { conversation_id, waiting_since, group_id } = relocation;
        let relocate = RelocateChat { conversation_id, group_id };
        Self { conversation_id, waiting_since, action: Action::Relocate(relocate) }
    }
}

enum Failure {
    /// The log has overtaken the choice; the event is on its way.
    Overtaken,
    /// Worth another attempt, later.
    Retry(String),
}

impl Router {
    /// A router that does nothing before [`Self::restore`].
    #[must_use]
    pub fn new(
        bus: CommandBus,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        attempts: Arc<dyn AttemptStore>,
    ) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(MAX_IN_FLIGHT));
        Arc::new(Self { state: Mutex::new(None), work: Notify::new(), permits, bus, clock, ids, attempts })
    }

    /// Routes from now on, from this stored state.
    pub fn restore(&self, snapshot: RoutingSnapshot) {
        let RoutingSnapshot { agents, groups, waiting, served, default_group_id } = snapshot;
        *self.state() = Some(RoutingState::restore(agents, groups, waiting, served, default_group_id));
        // Choices that were lost with the node before have no event to follow from.
        self.work.notify_one();
    }

    /// Takes in events and tells what to store. Call [`Self::stored`] when it is stored.
    #[must_use]
    pub fn fold(&self, events: &[Arc<LogEvent>]) -> Vec<RoutingPart> {
        self.state().as_mut().map_or_else(Vec::new, |state| fold(state, events))
    }

    /// What was folded is stored: choices may follow from it.
    pub fn stored(&self) {
        self.work.notify_one();
    }

    /// Another node routes from now on.
    pub fn stand_down(&self) {
        *self.state() = None;
    }

    /// Proposes and dispatches until the task is dropped.
    pub async fn run(self: Arc<Self>) {
        let mut next_sweep = self.clock.now().plus(SWEEP);
        loop {
            if self.clock.now() >= next_sweep {
                self.sweep();
                next_sweep = self.clock.now().plus(SWEEP);
            }
            for order in self.orders() {
                // The semaphore is never closed.
                let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return };
                let router = Arc::clone(&self);
                tokio::spawn(async move {
                    router.dispatch(order).await;
                    drop(permit);
                });
            }
            for agent_id in self.strays() {
                let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return };
                let router = Arc::clone(&self);
                tokio::spawn(async move {
                    router.relieve(agent_id).await;
                    drop(permit);
                });
            }
            self.wait(next_sweep).await;
        }
    }

    fn strays(&self) -> Vec<AgentId> {
        self.state().as_mut().map_or_else(Vec::new, RoutingState::strays)
    }

    /// Lets an agent who is not at work give back all chats, in as many appends as it takes. What does not succeed now
    /// does with a sweep.
    async fn relieve(&self, agent_id: AgentId) {
        loop {
            let context = self.bus.context(ACTOR.to_owned(), agent_id.uuid());
            match self.bus.execute(context, RelieveAgent { agent_id }).await {
                Ok(done) if done.output == 0 => return,
                Ok(done) => tracing::debug!(%agent_id, left = done.output, "chats are given back"),
                Err(error) => {
                    tracing::warn!(%agent_id, error = &error as &dyn std::error::Error, "chats were not given back");
                    return;
                }
            }
        }
    }

    fn orders(&self) -> Vec<Order> {
        let now = self.clock.now();
        let mut guard = self.state();
        let Some(state) = guard.as_mut() else { return vec![] };
        let mut orders: Vec<Order> = state.propose(now).into_iter().map(Order::assign).collect();
        orders.extend(state.relocate(now).into_iter().map(Order::relocate));
        orders
    }

    async fn wait(&self, next_sweep: Timestamp) {
        let now = self.clock.now();
        let retry_at = self.state().as_ref().and_then(RoutingState::next_retry);
        let until = retry_at.map_or(next_sweep, |at| at.min(next_sweep)).since(now).min(SWEEP);
        tokio::select! {
            () = self.work.notified() => {}
            () = self.clock.sleep(until) => {}
        }
    }

    /// The safety net under the wake-ups; a busy router needs it as much as an idle one.
    fn sweep(&self) {
        if let Some(state) = self.state().as_mut() {
            state.wake_all();
        }
    }

    async fn dispatch(&self, order: Order) {
        let Order { conversation_id, waiting_since, action } = order;
        let context = self.context(conversation_id, waiting_since);
        let executed = match action {
            Action::Assign(assign) => self.bus.execute(context, assign).await,
            Action::Relocate(relocate) => self.bus.execute(context, relocate).await,
        };
        let failure = match executed {
            // The log shows the outcome soon; until then a proposal counts as a chat of its agent.
            Ok(executed) if executed.receipt.is_some() => return,
            Ok(_) => Failure::Overtaken,
            Err(error) => judge(&error),
        };
        match failure {
            Failure::Overtaken => {
                tracing::debug!(%conversation_id, "routing choice was overtaken");
                if let Some(state) = self.state().as_mut() {
                    state.release(conversation_id, waiting_since);
                }
            }
            Failure::Retry(reason) => self.fail(conversation_id, waiting_since, reason).await,
        }
        self.work.notify_one();
    }

    async fn fail(&self, conversation_id: ConversationId, waiting_since: i64, reason: String) {
        let Some(attempt) = self.note_failure(conversation_id, waiting_since, reason) else { return };
        tracing::info!(%conversation_id, attempts = attempt.attempts, reason = attempt.reason, "assignment failed");
        if let Err(error) = self.attempts.save_failure(&attempt).await {
            tracing::warn!(%conversation_id, error = &error as &dyn std::error::Error, "attempt was not stored");
        }
    }

    fn note_failure(
        &self,
        conversation_id: ConversationId,
        waiting_since: i64,
        reason: String,
    ) -> Option<FailedAttempt> {
        let mut guard = self.state();
        let state = guard.as_mut()?;
        let attempts = state.waiting(conversation_id)?.attempts + 1;
        let next_attempt_at: Timestamp = self.clock.now().plus(BACKOFF.pause(attempts, self.ids.fraction()));
        state.fail(conversation_id, waiting_since, next_attempt_at)?;
        Some(FailedAttempt { conversation_id, waiting_since, attempts, next_attempt_at, reason })
    }

    /// The id repeats with the wait, so that a choice that was carried out is never carried out again, whoever
    /// was chosen the second time.
    fn context(&self, conversation_id: ConversationId, waiting_since: i64) -> CommandContext {
        let conversation = conversation_id.to_string();
        let wait = waiting_since.to_string();
        let command_id = CommandId::derived(&["router", &conversation, &wait]);
        let digest: Hash = Sha256::digest(format!("{conversation}@{wait}")).into();
        self.bus.context(ACTOR.to_owned(), conversation_id.uuid()).repeatable(command_id, digest)
    }

    fn state(&self) -> MutexGuard<'_, Option<RoutingState>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn judge(error: &UseCaseError) -> Failure {
    match error {
        UseCaseError::Conversation(
            ConversationError::AlreadyAssigned | ConversationError::ChatClosed | ConversationError::NotStarted,
        ) => Failure::Overtaken,
        UseCaseError::Agent(
            AgentError::AtCapacity
            | AgentError::NotAvailable
            | AgentError::NotRegistered
            | AgentError::AlreadyRegistered,
        ) => Failure::Retry(error.to_string()),
        error => Failure::Retry(error.to_string()),
    }
}
