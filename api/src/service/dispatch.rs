use std::sync::Arc;
use std::time::Duration;

use application::chat::{BulkChange, BulkPart};
use application::command_bus::{Authority, CommandBus, CommandContext, Executed, UseCase};
use application::ports::{Hash, Position};
use application::visitors::Erased;
use domain::event::AnyEvent;
use domain::ids::{CommandId, ConversationId};
use domain::time::Timestamp;
use uuid::Uuid;

use super::views::Views;
use super::{Caller, Refusal};

/// The longest wait for the read models after a change: longer than another node needs to take over from a dead one. The
/// change itself is committed by then.
const SETTLE_WITHIN: Duration = Duration::from_secs(5);

/// The most conversations of one bulk change.
pub const MAX_CONVERSATIONS: usize = 100;

/// Whether a caller wants to wait until reads show the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Until the read models show the change, within bounds.
    ForViews,
    /// Not at all: the change is committed.
    No,
}

/// A request that changes something, as all doors describe it.
#[derive(Clone, Debug)]
pub struct ChangeRequest {
    /// The id of the request, which the caller may have chosen.
    pub request_id: Uuid,
    /// The command id that the caller has chosen and the digest of the request, if the request may come again.
    pub repeatable: Option<(CommandId, Hash)>,
    /// Whether the caller waits for the read models.
    pub wait: Wait,
}

impl ChangeRequest {
    /// The same request for a change that is made each time it comes, whatever its key.
    #[must_use]
    pub fn once(&self) -> Self {
        Self { repeatable: None, ..self.clone() }
    }
}

/// A change that was made, now or by an earlier request.
#[derive(Clone, Debug)]
pub struct Done<T> {
    /// The result of the use case.
    pub output: T,
    /// The position of the last event; none when nothing had to change.
    pub position: Option<Position>,
    /// Whether an earlier request made the change.
    pub repeated: bool,
    /// Whether reads show the change now.
    pub settled: bool,
}

/// The outcome of a bulk change for one chat.
#[derive(Clone, Debug)]
pub struct BulkOutcome {
    /// The chat.
    pub conversation_id: ConversationId,
    /// The position of the change, none when nothing had to change; or the refusal.
    pub outcome: Result<Option<Position>, Refusal>,
}

impl<T> Done<T> {
    /// The same change with another result.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Done<U> {
        let Self { output, position, repeated, settled } = self;
        Done { output: change(output), position, repeated, settled }
    }

    /// The result, and the change without it.
    pub fn split(self) -> (T, Done<()>) {
        let Self { output, position, repeated, settled } = self;
        (output, Done { output: (), position, repeated, settled })
    }
}

/// Runs use cases and waits for the read models that show their events.
#[derive(Clone)]
pub struct Dispatch {
    bus: CommandBus,
    views: Arc<Views>,
}

impl Dispatch {
    /// Dispatches to this bus.
    #[must_use]
    pub const fn new(bus: CommandBus, views: Arc<Views>) -> Self {
        Self { bus, views }
    }

    /// Runs a use case for a caller, to its end even when the caller goes away, and waits as the request says.
    ///
    /// # Errors
    /// The refusal of the use case.
    pub async fn execute<U: UseCase>(
        &self,
        caller: &Caller,
        request: &ChangeRequest,
        use_case: U,
    ) -> Result<Done<U::Output>, Refusal> {
        let executed = self.run(self.context(caller, request), use_case).await?;
        Ok(self.settle(executed, request.wait).await)
    }

    /// Runs a use case in a context, to its end even when the caller goes away.
    ///
    /// # Errors
    /// The refusal of the use case.
    pub async fn run<U: UseCase>(&self, context: CommandContext, use_case: U) -> Result<Executed<U::Output>, Refusal> {
        Ok(self.bus.execute(context, use_case).await?)
    }

    /// Changes many chats, each by itself, and waits until reads show all changes.
    pub async fn execute_bulk(
        &self,
        caller: &Caller,
        request: &ChangeRequest,
        (change, ids): (BulkChange, Vec<ConversationId>),
    ) -> Done<Vec<BulkOutcome>> {
        let parts = change.execute(&self.bus, &self.context(caller, request), caller.principal, ids).await;
        let (mut events, mut position, mut repeated) = (vec![], None, false);
        let mut outcomes = vec![];
        for BulkPart { conversation_id, outcome } in parts {
            let outcome = outcome.map_err(Refusal::from).map(|executed| {
                let at = executed.position();
                position = at.max(position);
                repeated |= executed.repeated;
                events.extend(executed.events);
                at
            });
            outcomes.push(BulkOutcome { conversation_id, outcome });
        }
        let settled = self.settle_events(&events, position, request.wait).await;
        Done { output: outcomes, position, repeated, settled }
    }

    /// The context of a command of this request.
    #[must_use]
    pub fn context(&self, caller: &Caller, request: &ChangeRequest) -> CommandContext {
        let authority = Authority { principal: caller.principal, session: caller.session };
        let context = self.bus.context_of(authority, request.request_id);
        match request.repeatable {
            Some((command_id, digest)) => context.repeatable(command_id, digest),
            None => context,
        }
    }

    /// Waits until reads show what was executed. Which views that are follows from its events.
    pub async fn settle<T>(&self, executed: Executed<T>, wait: Wait) -> Done<T> {
        let position = executed.position();
        let settled = self.settle_events(&executed.events, position, wait).await;
        let Executed { output, repeated, .. } = executed;
        Done { output, position, repeated, settled }
    }

    /// Waits until reads show these events, the last of which is at the position.
    pub async fn settle_events(&self, events: &[AnyEvent], position: Option<Position>, wait: Wait) -> bool {
        let Some(position) = position else { return true };
        if wait == Wait::No {
            return false;
        }
        warn_if_late(self.views.wait_for_shown(events, position, SETTLE_WITHIN).await, position)
    }

    /// Waits until no view shows anything of an erased visitor, patient views included.
    pub async fn settle_erasure(&self, erased: &Erased, wait: Wait) -> bool {
        let Some(position) = erased.position else { return true };
        if wait == Wait::No {
            return false;
        }
        warn_if_late(self.views.wait_for_all_shown(&erased.events, position, SETTLE_WITHIN).await, position)
    }

    /// The position of the last event of an earlier command, if the log remembers the command.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn position_of(&self, command_id: CommandId) -> Result<Option<Position>, Refusal> {
        let record = self.bus.find_command(command_id).await?;
        Ok(record.map(|record| record.receipt.last_position))
    }

    /// The present time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.bus.now()
    }

    /// A new id.
    #[must_use]
    pub fn new_uuid(&self) -> Uuid {
        self.bus.new_uuid()
    }
}

fn warn_if_late(settled: bool, position: Position) -> bool {
    if !settled {
        tracing::warn!(position, "read models are late");
    }
    settled
}
