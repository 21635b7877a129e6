use std::sync::{Arc, MutexGuard};
use std::time::Duration;

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

/// How often every queue is examined without a cause: the safety net under the wake-ups.
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
    use_case: OrderedUseCase,
}

enum OrderedUseCase {
    Assign(AssignAgent),
    Relocate(RelocateChat),
}

impl Order {
    fn assign(proposal: Proposal) -> Self {
        let Proposal { conversation_id, agent_id, group_id, waiting_since, decision } = proposal;
        let assign = AssignAgent { conversation_id, agent_id, chooser: Chooser::Router { group_id, decision } };
        Self { conversation_id, waiting_since, use_case: OrderedUseCase::Assign(assign) }
    }

    fn relocate(relocation: Relocation) -> Self {
        let Relocation { conversation_id, waiting_since, group_id } = relocation;
        let relocate = RelocateChat { conversation_id, group_id };
        Self { conversation_id, waiting_since, use_case: OrderedUseCase::Relocate(relocate) }
    }
}

/// What the router does about an order that was not carried out. It never gives a chat up: a waiting chat must not be
/// stranded.
enum Reaction {
    /// The log has overtaken the choice: wait until the router reads how.
    AwaitLog,
    /// Try again after a back-off, for this reason.
    Retry(String),
}

impl Router {
    /// The router does nothing before its [memory](Self::memory) is loaded.
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
                if !Arc::clone(&self).start(|router| router.dispatch(order)).await {
                    break;
                }
            }
            for agent_id in self.offline_holders() {
                if !Arc::clone(&self).start(|router| router.relieve(agent_id)).await {
                    break;
                }
            }
            self.wait(next_sweep).await;
        }
    }

    /// Starts a task once few enough run. Returns whether this node still routes.
    async fn start<F: Future<Output = ()> + Send + 'static>(
        self: Arc<Self>,
        task: impl FnOnce(Arc<Self>) -> F,
    ) -> bool {
        let Some(permit) = self.memory.permit().await else { return false };
        let task = task(self);
        tokio::spawn(async move {
            task.await;
            drop(permit);
        });
        true
    }

    fn offline_holders(&self) -> Vec<AgentId> {
        self.state().as_mut().map_or_else(Vec::new, RoutingState::offline_holders)
    }

    /// Makes an offline agent give back all chats, in as many appends as it takes. After a failure the next sweep
    /// continues.
    async fn relieve(self: Arc<Self>, agent_id: AgentId) {
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

    /// Wakes everything. A busy router needs it as much as an idle one, so it does not depend on idle time.
    fn sweep(&self) {
        if let Some(state) = self.state().as_mut() {
            state.wake_all();
        }
    }

    async fn dispatch(self: Arc<Self>, order: Order) {
        let Order { conversation_id, waiting_since, use_case } = order;
        let context = self.context(conversation_id, waiting_since);
        let executed = match use_case {
            OrderedUseCase::Assign(assign) => self.bus.execute(context, assign).await,
            OrderedUseCase::Relocate(relocate) => self.bus.execute(context, relocate).await,
        };
        let reaction = match executed {
            // The router will read the event; until then the proposal counts as a chat of its agent.
            Ok(executed) if executed.receipt.is_some() => return,
            // Nothing was left to do.
            Ok(_) => Reaction::AwaitLog,
            Err(error) => reaction_to(&error),
        };
        match reaction {
            Reaction::AwaitLog => {
                tracing::debug!(%conversation_id, "routing choice was overtaken");
                if let Some(state) = self.state().as_mut() {
                    state.release(conversation_id, waiting_since);
                }
            }
            Reaction::Retry(reason) => self.fail(conversation_id, waiting_since, reason).await,
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

    /// The command id follows from the wait: one wait is ended once, even if a second choice names another agent.
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

/// A chat that has an agent, is closed or does not exist any more was overtaken by the log. Any other error may have
/// passed at the next attempt: the agent may have a free slot, the database may be back.
fn reaction_to(error: &UseCaseError) -> Reaction {
    let retry = || Reaction::Retry(error.to_string());
    let UseCaseError::Conversation(refusal) = error else { return retry() };
    match refusal {
        ConversationError::AlreadyAssigned | ConversationError::ChatClosed | ConversationError::NotStarted => {
            Reaction::AwaitLog
        }
        ConversationError::AlreadyStarted | ConversationError::ChatOpen | ConversationError::TooManyThreads => retry(),
    }
}
