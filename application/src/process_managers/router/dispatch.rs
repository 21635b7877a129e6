use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use domain::agent::AgentError;
use domain::conversation::ConversationError;
use domain::ids::{AgentId, CommandId, ConversationId, EntityId};
use domain::routing::{Proposal, Relocation, RoutingState};
use domain::time::Timestamp;
use sha2::{Digest, Sha256};

use super::{AttemptStore, FailedAttempt, RouterMemory};
use crate::UseCaseError;
use crate::backoff::Backoff;
use crate::chat::{AssignAgent, Chooser, RelieveAgent, RelocateChat};
use crate::command_bus::{CommandBus, CommandContext};
use crate::ports::{Clock, Hash, Ids};

const ACTOR: &str = "system:router";

/// The pauses between attempts to find an agent for one chat.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(50), longest: Duration::from_secs(30), jitter: 0.5 };

/// After this long without any cause every queue is looked at all the same.
const SWEEP: Duration = Duration::from_secs(15);

/// Finds agents for waiting chats.
pub struct Router {
    memory: Arc<RouterMemory>,
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
    /// A router that does nothing before its [memory](Self::memory) is loaded.
    #[must_use]
    pub fn new(
        bus: CommandBus,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        attempts: Arc<dyn AttemptStore>,
    ) -> Arc<Self> {
        Arc::new(Self { memory: Arc::default(), bus, clock, ids, attempts })
    }

    /// What its choices follow from, to be kept up with the log.
    #[must_use]
    pub const fn memory(&self) -> &Arc<RouterMemory> {
        &self.memory
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
                let Some(permit) = self.memory.permit().await else { break };
                let router = Arc::clone(&self);
                tokio::spawn(async move {
                    router.dispatch(order).await;
                    drop(permit);
                });
            }
            for agent_id in self.strays() {
                let Some(permit) = self.memory.permit().await else { break };
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
        while self.memory.is_loaded() {
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
            () = self.memory.work() => {}
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
        self.memory.look_for_work();
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
        self.memory.state()
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
