//! Runs use cases: loads aggregates through a cache, appends what they decide, retries on conflict.

mod cache;
mod locks;
mod recall;
mod unit_of_work;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::aggregate::Root;
use domain::event::AnyEvent;
use domain::ids::{CommandId, EventId};
use domain::time::Timestamp;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::UseCaseError;
use crate::backoff::Backoff;
use crate::ports::{
    AppendError, AppendRequest, AsOf, Clock, CommandRecord, EventLog, Hash, Ids, LogEvent, Position, Receipt,
    Repeatable, SeenStream, StreamId, StreamVersion,
};
use cache::AggregateCache;
use locks::{StreamGuard, StreamLocks};
pub use recall::{recall, recall_id};
pub use unit_of_work::UnitOfWork;

/// How often a command is decided anew after others have changed the same streams.
const MAX_ATTEMPTS: u32 = 5;

/// The pauses between attempts, all of them random: two commands that met do not meet again.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(4), longest: Duration::from_millis(64), jitter: 1.0 };

/// How long a command waits for others of this node on the same streams. While the database is away, each of those holds
/// its streams for as long as it tries.
const LOCKED_WITHIN: Duration = Duration::from_secs(8);

/// How many aggregates are kept in memory.
const CACHED_AGGREGATES: usize = 20_000;

/// Who gives a command, and in which connection.
#[derive(Clone, Debug)]
pub struct CommandContext {
    pub command_id: CommandId,
    /// The digest of the request, when the command may come again.
    pub repeatable: Option<Repeatable>,
    /// `agent:<id>`, `visitor:<id>` or `system:<name>`.
    pub actor: String,
    /// The request, chat or process that the command belongs to.
    pub correlation_id: Uuid,
    /// The event that caused it.
    pub causation_id: Option<EventId>,
}

impl CommandContext {
    /// Makes the command repeatable: the same id with the same digest is the same command.
    #[must_use]
    pub fn repeatable(self, command_id: CommandId, request_digest: Hash) -> Self {
        Self { command_id, repeatable: Some(Repeatable { request_digest }), ..self }
    }
}

/// Something that a person or a process wants done, on one or several aggregates at once.
pub trait UseCase: Send + Sync + 'static {
    /// What the caller gets.
    type Output: Send + 'static;

    /// The streams on which this use case does not want to meet another one of this node.
    fn locks(&self) -> Vec<StreamId>;

    /// Decides. It may run several times, each time on newer state, so it must not act on the outside.
    fn run(&self, work: &mut UnitOfWork) -> impl Future<Output = Result<Self::Output, UseCaseError>> + Send;

    /// Whether everything that was looked at has to stand as it was seen when the events are appended: the log checks
    /// that, as it checks the versions of the streams that get events. A use case that reads nothing but what never
    /// changes beside the stream it writes may spare the question.
    const CHECKS_WHAT_IT_READ: bool = true;

    /// The answer of the first time, from the events of the first time; none when they are not this use case's.
    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<Self::Output>;
}

/// What came of a use case.
#[derive(Clone, Debug)]
pub struct Executed<T> {
    /// What the caller gets.
    pub output: T,
    /// Where its events are; none when there was nothing to do.
    pub receipt: Option<Receipt>,
    /// Its events, in order: those that it made, or those of the earlier time.
    pub events: Vec<AnyEvent>,
    /// Whether this is the answer of an earlier time.
    pub repeated: bool,
}

impl<T> Executed<T> {
    /// The position of its last event, if it has any.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.receipt.as_ref().map(|receipt| receipt.last_position)
    }

    /// Nothing was executed, as there was nothing to do.
    pub const fn nothing(output: T) -> Self {
        Self { output, receipt: None, events: vec![], repeated: false }
    }

    /// The same with another output.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Executed<U> {
        let Self { output, receipt, events, repeated } = self;
        Executed { output: change(output), receipt, events, repeated }
    }
}

/// Runs use cases.
#[derive(Clone)]
pub struct CommandBus {
    inner: Arc<Inner>,
}

struct Inner {
    log: Arc<dyn EventLog>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    cache: AggregateCache,
    locks: StreamLocks,
}

impl CommandBus {
    /// A bus over this log.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        let cache = AggregateCache::new(CACHED_AGGREGATES);
        Self { inner: Arc::new(Inner { log, clock, ids, cache, locks: StreamLocks::default() }) }
    }

    /// The present time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// A new id.
    #[must_use]
    pub fn new_uuid(&self) -> Uuid {
        self.inner.ids.new_uuid()
    }

    /// The context of a command that will not come again.
    #[must_use]
    pub fn context(&self, actor: String, correlation_id: Uuid) -> CommandContext {
        let command_id = CommandId::new(self.new_uuid());
        CommandContext { command_id, repeatable: None, actor, correlation_id, causation_id: None }
    }

    /// The state of an aggregate with every event that is committed now.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn read<A: Root>(&self, id: A::Id) -> Result<Arc<A>, UseCaseError> {
        self.read_up_to(id, None).await
    }

    /// The state of an aggregate with every event that was committed at a moment, and perhaps more.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn read_as_of<A: Root>(&self, id: A::Id, as_of: AsOf) -> Result<Arc<A>, UseCaseError> {
        self.read_up_to(id, Some(as_of)).await
    }

    async fn read_up_to<A: Root>(&self, id: A::Id, as_of: Option<AsOf>) -> Result<Arc<A>, UseCaseError> {
        let mut work = UnitOfWork::new(&self.inner);
        loop {
            let state = work.load::<A>(id).await?;
            // What is loaded again may have come back into the cache meanwhile, as old as it was.
            if !work.refresh(as_of).await? {
                work.keep();
                return Ok(state);
            }
        }
    }

    /// This moment of the log, for reads that rest on the same.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn as_of_now(&self) -> Result<AsOf, UseCaseError> {
        Ok(self.inner.log.head().await?.as_of())
    }

    /// A state of an aggregate that may be some events old: enough for facts that never change.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn peek<A: Root>(&self, id: A::Id) -> Result<Arc<A>, UseCaseError> {
        let mut work = UnitOfWork::new(&self.inner);
        let state = work.load::<A>(id).await?;
        work.keep();
        Ok(state)
    }

    /// What the log remembers of a repeatable command, if it was carried out.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn find_command(&self, command_id: CommandId) -> Result<Option<CommandRecord>, UseCaseError> {
        Ok(self.inner.log.find_command(command_id).await?)
    }

    /// Carries a use case out to its end, even when the caller goes away.
    ///
    /// # Errors
    /// The refusal, or why it could not be carried out.
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

/// The use case's own name, without where it stands.
fn short_name<U>() -> &'static str {
    let name = std::any::type_name::<U>();
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}

impl Inner {
    /// A stream before anything of it is read.
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
                    // All of them, or one that writes many streams would meet another conflict each time.
                    locked.insert(stream);
                    locked.append(&mut written);
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

    /// None: others hold the streams for too long.
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
        let mut work = UnitOfWork::new(self);
        let mut answer = use_case.run(&mut work).await;
        // Another node may know more, and what does not meet the log's version check needs fresh state.
        while (answer.is_err() || !work.has_events()) && work.refresh(None).await? {
            work = UnitOfWork::new(self);
            answer = use_case.run(&mut work).await;
        }
        if answer.is_err() || !work.has_events() {
            if let Some(record) = self.find_record(context).await? {
                return self.recall(context, use_case, &record).await;
            }
            work.keep();
            return Ok(Executed::nothing(answer?));
        }
        let output = answer?;
        let observed = if U::CHECKS_WHAT_IT_READ { work.observed() } else { vec![] };
        let receipt = self.append(context, &mut work, observed, written).await?;
        let events = work.take_decided();
        work.keep();
        Ok(Executed { output, receipt: Some(receipt), events, repeated: false })
    }

    async fn append(
        &self,
        context: &CommandContext,
        work: &mut UnitOfWork,
        observed: Vec<StreamVersion>,
        written: &mut BTreeSet<StreamId>,
    ) -> Result<Receipt, UseCaseError> {
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
        &self,
        context: &CommandContext,
        use_case: &U,
        record: &CommandRecord,
    ) -> Result<Executed<U::Output>, UseCaseError> {
        let same = context.repeatable.is_some_and(|now| now.request_digest == record.request_digest);
        if !same {
            return Err(UseCaseError::CommandReused);
        }
        let receipt = record.receipt.clone();
        let mut events = vec![];
        let mut after = receipt.first_position - 1;
        while after < receipt.last_position {
            let limit = usize::try_from(receipt.last_position - after).unwrap_or(usize::MAX);
            let page = self.log.read_after(after, limit).await?;
            let Some(last) = page.last() else { break };
            after = last.header.position;
            events.extend(page);
        }
        let output = use_case.recall(&events).ok_or(UseCaseError::CommandReused)?;
        let events = events.iter().map(|event| event.event.clone()).collect();
        Ok(Executed { output, receipt: Some(receipt), events, repeated: true })
    }
}
