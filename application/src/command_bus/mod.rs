//! Runs use cases: loads aggregates through a cache, appends their events, retries on conflict.

mod authority;
mod cache;
mod locks;
mod recall;
mod snapshot;
mod unit_of_work;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::aggregate::Root;
use domain::event::AnyEvent;
use domain::ids::{CommandId, EntityId as _, EventId};
use domain::time::Timestamp;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::UseCaseError;
use crate::backoff::Backoff;
use crate::ports::{
    AppendError, AppendRequest, AsOf, Clock, CommandRecord, EventLog, Hash, Ids, LogEvent, Position, Principal,
    Receipt, Repeatable, SeenStream, SessionStore, StreamId,
};
pub use authority::Authority;
use cache::AggregateCache;
use locks::{StreamGuard, StreamLocks};
pub use recall::{recall, recall_id};
pub use unit_of_work::UnitOfWork;

/// How often a command is decided before it gives up because others keep changing the same streams.
const MAX_ATTEMPTS: u32 = 5;

/// The pauses between attempts, all of them random: two commands that met do not meet again.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(4), longest: Duration::from_millis(64), jitter: 1.0 };

/// How long a command waits for other commands of this node on the same streams. While the database is unavailable,
/// each of those holds its streams until it stops trying.
const LOCKED_WITHIN: Duration = Duration::from_secs(8);

/// How many aggregates stay in memory.
const CACHED_AGGREGATES: usize = 20_000;

/// The origin of a command: its caller and its cause.
#[derive(Clone, Debug)]
pub struct CommandContext {
    pub command_id: CommandId,
    /// The digest of the request, if a client may repeat the command.
    pub repeatable: Option<Repeatable>,
    /// `agent:<id>`, `visitor:<id>` or `system:<name>`.
    pub actor: String,
    /// The request, chat or process to which the command belongs.
    pub correlation_id: Uuid,
    /// The event that caused the command.
    pub causation_id: Option<EventId>,
    /// The caller on whose rights the command rests; none for processes of the program.
    pub authority: Option<Authority>,
}

impl CommandContext {
    /// The context of another command of the same request, which is not repeated.
    #[must_use]
    pub fn part(&self, command_id: CommandId) -> Self {
        Self { command_id, repeatable: None, ..self.clone() }
    }

    /// Makes the command repeatable: the same id with the same digest means the same command.
    #[must_use]
    pub fn repeatable(self, command_id: CommandId, request_digest: Hash) -> Self {
        Self { command_id, repeatable: Some(Repeatable { request_digest }), ..self }
    }
}

/// The id that correlates the events of a request. It follows from the caller, too: a caller may choose the id of a request,
/// and must not be able to file events under the request of another.
#[must_use]
pub fn correlation_id(actor: &str, request_id: Uuid) -> Uuid {
    CommandId::derived(&["request", actor, &request_id.to_string()]).uuid()
}

/// A command of a person or a process on one or several aggregates, all or nothing.
pub trait UseCase: Send + Sync + 'static {
    /// The answer to the caller.
    type Output: Send + 'static;

    /// The streams that the use case will probably write. Commands of this node on the same streams run one after the
    /// other, which spares conflicts.
    fn locks(&self) -> Vec<StreamId>;

    /// Decides. It may run several times, each time on newer state, so it must have no side effects.
    fn run(&self, work: &mut UnitOfWork) -> impl Future<Output = Result<Self::Output, UseCaseError>> + Send;

    /// Whether the append also checks the versions of streams that were only read. Set to `false` only if every stream
    /// that the use case reads, other than the one it writes, is immutable.
    const CHECKS_WHAT_IT_READ: bool = true;

    /// The answer to a repeated command, from the events of the first time. `None` if they are not of this use case.
    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<Self::Output>;

    /// Refuses callers who may not see the outcome any more, before a repeated command is answered. The command itself may
    /// be what took the right, or the caller may have lost it since.
    fn ensure_may_recall(&self, work: &mut UnitOfWork) -> impl Future<Output = Result<(), UseCaseError>> + Send {
        let _ = work;
        std::future::ready(Ok(()))
    }
}

/// The outcome of a use case.
#[derive(Clone, Debug)]
pub struct Executed<T> {
    /// The answer to the caller.
    pub output: T,
    /// Where its events are; `None` if there was nothing to do.
    pub receipt: Option<Receipt>,
    /// The events, in order: those of this execution, or those of the first time.
    pub events: Vec<AnyEvent>,
    /// The command is a repetition, and this is its first answer.
    pub repeated: bool,
}

impl<T> Executed<T> {
    /// The position of the last event, if there are any.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.receipt.as_ref().map(|receipt| receipt.last_position)
    }

    /// The outcome of a use case that had nothing to do.
    pub const fn nothing(output: T) -> Self {
        Self { output, receipt: None, events: vec![], repeated: false }
    }

    /// Converts the output.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Executed<U> {
        let Self { output, receipt, events, repeated } = self;
        Executed { output: change(output), receipt, events, repeated }
    }
}

/// Runs use cases, each in its own task. Clones share one cache.
#[derive(Clone)]
pub struct CommandBus {
    inner: Arc<Inner>,
}

struct Inner {
    log: Arc<dyn EventLog>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    /// Knows which sessions of callers are open.
    sessions: Option<Arc<dyn SessionStore>>,
    cache: AggregateCache,
    locks: StreamLocks,
}

impl CommandBus {
    /// A bus that reads and appends to this log, for commands of processes, which have no session.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self::over((log, clock, ids), None)
    }

    /// A bus for commands of callers, too: it refuses those whose session is not open here any more.
    #[must_use]
    pub fn with_sessions(
        log: Arc<dyn EventLog>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        sessions: Arc<dyn SessionStore>,
    ) -> Self {
        Self::over((log, clock, ids), Some(sessions))
    }

    fn over(
        (log, clock, ids): (Arc<dyn EventLog>, Arc<dyn Clock>, Arc<dyn Ids>),
        sessions: Option<Arc<dyn SessionStore>>,
    ) -> Self {
        let cache = AggregateCache::new(CACHED_AGGREGATES);
        Self { inner: Arc::new(Inner { log, clock, ids, sessions, cache, locks: StreamLocks::default() }) }
    }

    /// The present time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// The time that has passed since some moment, whatever the clock is set to.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.inner.clock.elapsed()
    }

    /// A new id.
    #[must_use]
    pub fn new_uuid(&self) -> Uuid {
        self.inner.ids.new_uuid()
    }

    /// The context of a command of a caller's request, which rests on the caller's rights.
    #[must_use]
    pub fn context_of(&self, authority: Authority, request_id: Uuid) -> CommandContext {
        let context = self.context_of_request(authority.principal, request_id);
        CommandContext { authority: Some(authority), ..context }
    }

    /// The context of a command of a request that rests on no rights yet. The span of the request, if there is one, gets the
    /// id that correlates its events.
    #[must_use]
    pub fn context_of_request(&self, principal: Principal, request_id: Uuid) -> CommandContext {
        let actor = principal.actor();
        let correlation_id = correlation_id(&actor, request_id);
        tracing::Span::current().record("correlation_id", tracing::field::display(correlation_id));
        self.context(actor, correlation_id)
    }

    /// The context of a command that is not repeated.
    #[must_use]
    pub fn context(&self, actor: String, correlation_id: Uuid) -> CommandContext {
        let command_id = CommandId::new(self.new_uuid());
        CommandContext { command_id, repeatable: None, actor, correlation_id, causation_id: None, authority: None }
    }

    /// The state of an aggregate with all events that are committed now.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn read<A: Root>(&self, id: A::Id) -> Result<Arc<A>, UseCaseError> {
        self.read_up_to(id, None).await
    }

    /// The state of an aggregate with at least the events that were committed at this moment.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn read_as_of<A: Root>(&self, id: A::Id, as_of: AsOf) -> Result<Arc<A>, UseCaseError> {
        self.read_up_to(id, Some(as_of)).await
    }

    async fn read_up_to<A: Root>(&self, id: A::Id, as_of: Option<AsOf>) -> Result<Arc<A>, UseCaseError> {
        let mut work = UnitOfWork::new(&self.inner);
        loop {
            let state = work.load::<A>(id).await?;
            // Another task may have put the outdated state back into the cache in the meantime: hence a loop.
            if !work.refresh(as_of).await? {
                work.keep();
                return Ok(state);
            }
        }
    }

    /// The present moment of the log, for several reads of the same state of affairs.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn as_of_now(&self) -> Result<AsOf, UseCaseError> {
        Ok(self.inner.log.head().await?.as_of())
    }

    /// A state of an aggregate that may lag some events behind: enough for facts that never change.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn peek<A: Root>(&self, id: A::Id) -> Result<Arc<A>, UseCaseError> {
        let mut work = UnitOfWork::new(&self.inner);
        let state = work.load::<A>(id).await?;
        work.keep();
        Ok(state)
    }

    /// Finds the record of a repeatable command, if it was carried out.
    ///
    /// # Errors
    /// If the log cannot be read, or [`UseCaseError::ForeignRecord`].
    pub async fn find_command(&self, command_id: CommandId) -> Result<Option<CommandRecord>, UseCaseError> {
        let Some(record) = self.inner.log.find_command(command_id).await? else { return Ok(None) };
        self.inner.events_of(command_id, &record.receipt).await?;
        Ok(Some(record))
    }

    /// Refuses a command whose caller has lost the right to it. Every command is judged when it is decided; call this
    /// before an effect outside of the log.
    ///
    /// # Errors
    /// [`UseCaseError::CallerGone`], [`UseCaseError::Forbidden`], or if the log or the sessions cannot be read.
    pub async fn ensure_authority(&self, context: &CommandContext) -> Result<(), UseCaseError> {
        let Some(authority) = &context.authority else { return Ok(()) };
        loop {
            let mut work = UnitOfWork::new(&self.inner);
            let judged = self.inner.judge(authority, &mut work).await;
            if !work.refresh(None).await? {
                return judged;
            }
        }
    }

    /// Runs a use case to its end, even if the caller drops the future.
    ///
    /// # Errors
    /// Why the use case was refused or failed.
    pub async fn execute<U: UseCase>(
        &self,
        context: CommandContext,
        use_case: U,
    ) -> Result<Executed<U::Output>, UseCaseError> {
        let inner = Arc::clone(&self.inner);
        let span = tracing::info_span!(
            "command",
            kind = short_name::<U>(),
            command_id = %context.command_id,
            correlation_id = %context.correlation_id,
        );
        let task = tokio::spawn(async move { inner.run(&context, &use_case).await }.instrument(span));
        task.await.map_err(|_| UseCaseError::Aborted)?
    }
}

/// The name of the use case's type, without modules and parameters.
fn short_name<U>() -> &'static str {
    let name = std::any::type_name::<U>();
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}

impl Inner {
    /// A stream of which nothing has been read.
    fn nothing_seen(&self, stream: StreamId) -> SeenStream {
        SeenStream { stream, freshness: self.log.nothing_read() }
    }

    async fn run<U: UseCase>(
        self: &Arc<Self>,
        context: &CommandContext,
        use_case: &U,
    ) -> Result<Executed<U::Output>, UseCaseError> {
        let mut locked: BTreeSet<StreamId> = use_case.locks().into_iter().collect();
        for attempt in 1..=MAX_ATTEMPTS {
            let Some(guard) = self.lock(&locked).await else { return Err(UseCaseError::Contended) };
            let mut written = BTreeSet::new();
            let error = match self.attempt(context, use_case, &mut written).await {
                Err(UseCaseError::Append(error)) => error,
                answer => return answer,
            };
            drop(guard);
            match error {
                AppendError::Conflict { stream } => {
                    metrics::counter!("livechatlog_command_retries_total").increment(1);
                    // Lock all written streams: a command that writes many would else meet another conflict each time.
                    locked.insert(stream);
                    locked.append(&mut written);
                    if attempt == MAX_ATTEMPTS {
                        break;
                    }
                    BACKOFF.wait(attempt, &*self.clock, &*self.ids).await;
                }
                AppendError::Repeated { record, .. } => return self.recall(context, use_case, &record).await,
                AppendError::Invalid { .. } | AppendError::Unavailable { .. } => {
                    return Err(UseCaseError::Append(error));
                }
            }
        }
        Err(UseCaseError::Contended)
    }

    /// `None` if other commands hold the streams for too long.
    async fn lock(&self, streams: &BTreeSet<StreamId>) -> Option<StreamGuard> {
        tokio::select! {
            biased;
            guard = self.locks.lock(streams) => Some(guard),
            () = self.clock.sleep(LOCKED_WITHIN) => None,
        }
    }

    async fn attempt<U: UseCase>(
        self: &Arc<Self>,
        context: &CommandContext,
        use_case: &U,
        written: &mut BTreeSet<StreamId>,
    ) -> Result<Executed<U::Output>, UseCaseError> {
        let (mut work, answer) = self.decide(context, use_case).await?;
        match answer {
            Ok(output) if work.has_events() => {
                let receipt = self.append::<U>(context, &mut work, written).await?;
                let events = work.take_decided();
                work.keep();
                Ok(Executed { output, receipt: Some(receipt), events, repeated: false })
            }
            answer => {
                // A repeated command may find its own work done, or be refused because of it: the first answer stands.
                if let Some(record) = self.find_record(context).await? {
                    return self.recall(context, use_case, &record).await;
                }
                work.keep();
                Ok(Executed::nothing(answer?))
            }
        }
    }

    /// Runs a use case until its decision can stand.
    ///
    /// Events may rest on cached state, because the append checks the versions. A refusal or a decision without events
    /// meets no such check: it stands only if the log knows nothing newer, for example from another node.
    async fn decide<U: UseCase>(
        self: &Arc<Self>,
        context: &CommandContext,
        use_case: &U,
    ) -> Result<(UnitOfWork, Result<U::Output, UseCaseError>), UseCaseError> {
        loop {
            let mut work = UnitOfWork::new(self);
            let judged = match &context.authority {
                Some(authority) => self.judge(authority, &mut work).await,
                None => Ok(()),
            };
            let has_lost_the_right = judged.is_err();
            let answer = match judged {
                Ok(()) => use_case.run(&mut work).await,
                Err(refusal) => Err(refusal),
            };
            let is_checked_by_append = answer.is_ok() && work.has_events();
            if is_checked_by_append || !work.refresh(None).await? {
                // Not even an earlier answer is for a caller without the right.
                return match answer {
                    Err(refusal) if has_lost_the_right => Err(refusal),
                    answer => Ok((work, answer)),
                };
            }
        }
    }

    async fn append<U: UseCase>(
        &self,
        context: &CommandContext,
        work: &mut UnitOfWork,
        written: &mut BTreeSet<StreamId>,
    ) -> Result<Receipt, UseCaseError> {
        let mut observed = work.observed();
        if !U::CHECKS_WHAT_IT_READ {
            let rights = context.authority.map(|authority| authority.stream());
            observed.retain(|seen| Some(seen.stream) == rights);
        }
        let request = AppendRequest {
            command_id: context.command_id,
            repeatable: context.repeatable,
            actor: context.actor.clone(),
            correlation_id: context.correlation_id,
            causation_id: context.causation_id,
            streams: work.take_appends(),
            observed,
        };
        let streams: Vec<_> = request.streams.iter().map(|append| append.stream).collect();
        written.extend(&streams);
        let result = self.log.append(request).await;
        match &result {
            Ok(receipt) => work.appended(&streams, receipt),
            Err(_) => work.forget(),
        }
        result.map_err(UseCaseError::Append)
    }

    async fn find_record(&self, context: &CommandContext) -> Result<Option<CommandRecord>, UseCaseError> {
        if context.repeatable.is_none() {
            return Ok(None);
        }
        Ok(self.log.find_command(context.command_id).await?)
    }

    async fn recall<U: UseCase>(
        self: &Arc<Self>,
        context: &CommandContext,
        use_case: &U,
        record: &CommandRecord,
    ) -> Result<Executed<U::Output>, UseCaseError> {
        let same = context.repeatable.is_some_and(|now| now.request_digest == record.request_digest);
        if !same {
            return Err(UseCaseError::CommandReused);
        }
        self.ensure_may_recall(use_case).await?;
        let receipt = record.receipt.clone();
        let events = self.events_of(context.command_id, &receipt).await?;
        let output = use_case.recall(&events).ok_or(UseCaseError::CommandReused)?;
        let events = events.iter().map(|event| event.event.clone()).collect();
        Ok(Executed { output, receipt: Some(receipt), events, repeated: true })
    }

    /// Asks with the present state whether the caller may see the outcome.
    async fn ensure_may_recall<U: UseCase>(self: &Arc<Self>, use_case: &U) -> Result<(), UseCaseError> {
        loop {
            let mut work = UnitOfWork::new(self);
            let answer = use_case.ensure_may_recall(&mut work).await;
            if !work.refresh(None).await? {
                return answer;
            }
        }
    }

    /// The events of a command that the log remembers: all of them, and no other command's. A record may be wrong where a
    /// transaction was torn or the table was changed.
    async fn events_of(&self, command_id: CommandId, receipt: &Receipt) -> Result<Vec<Arc<LogEvent>>, UseCaseError> {
        let foreign = || UseCaseError::ForeignRecord { command_id };
        let mut events = vec![];
        let mut after = receipt.first_position.saturating_sub(1);
        while after < receipt.last_position {
            let limit = usize::try_from(receipt.last_position.saturating_sub(after)).unwrap_or(usize::MAX);
            let page = self.log.read_after(after, limit).await?;
            let last = page.last().ok_or_else(foreign)?;
            if page.iter().any(|event| event.header.command_id != command_id) {
                return Err(foreign());
            }
            after = last.header.position;
            events.extend(page);
        }
        if events.is_empty() { Err(foreign()) } else { Ok(events) }
    }
}
