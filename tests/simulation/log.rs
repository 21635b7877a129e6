//! An event log in memory that takes its time, fails and loses answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use application::ports::{
    AppendError, AppendRequest, AsOf, CommandRecord, EventHeader, EventLog, Freshness, Growth, LogEvent, LogHead,
    Position, ReadError, Receipt, SeenStream, Sequence, StreamEvent, StreamId, StreamVersion, VersionedState,
};
use application::testing::find_grown_by_reading;
use async_trait::async_trait;
use domain::event::AnyEvent;
use domain::ids::CommandId;
use domain::time::Timestamp;
use harness::Rng;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::clock::{Life, WorldClock};
use crate::mutation::Mutation;
use crate::oracle::Oracle;

/// What all nodes share.
pub struct Shared {
    pub clock: WorldClock,
    pub mutation: Option<Mutation>,
    pub chance: Mutex<Rng>,
    pub oracle: Mutex<Oracle>,
    pub weather: Mutex<Weather>,
    history: Mutex<History>,
    head: watch::Sender<Position>,
    /// Wakes the feeds in the order in which they began to wait; a watch would wake them in any.
    pub growth: Notify,
}

/// Until when what is troubled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// Appends fail, before or after they are made.
    pub storm: Timestamp,
    /// Nobody hears that the log has grown.
    pub deaf: Timestamp,
    /// The router's feed is slow.
    pub slow: Timestamp,
}

#[derive(Default)]
struct History {
    events: Vec<Arc<LogEvent>>,
    streams: HashMap<StreamId, Vec<Arc<LogEvent>>>,
    commands: HashMap<CommandId, CommandRecord>,
}

impl Shared {
    pub fn new(clock: WorldClock, seed: u64, mutation: Option<Mutation>, traces: bool) -> Arc<Self> {
        Arc::new(Self {
            clock,
            mutation,
            chance: Mutex::new(Rng::new(seed, 2)),
            oracle: Mutex::new(Oracle::new(traces)),
            weather: Mutex::default(),
            history: Mutex::default(),
            head: watch::Sender::new(0),
            growth: Notify::new(),
        })
    }

    pub fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn below(&self, end: usize) -> usize {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).below(end)
    }

    pub fn weather(&self) -> MutexGuard<'_, Weather> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    pub fn after(&self, position: Position, limit: usize) -> Vec<Arc<LogEvent>> {
        let from = usize::try_from(position).expect("positions are not negative");
        self.history().events.iter().skip(from).take(limit).cloned().collect()
    }

    pub fn end(&self) -> Position {
        *self.head.borrow()
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit(&self, mut request: AppendRequest) -> Result<Receipt, AppendError> {
        if let Some(mutation) = self.mutation {
            mutation.append(&mut request);
        }
        let (receipt, events) = {
            let mut history = self.history();
            if let Some(record) = history.commands.get(&request.command_id) {
                let (command_id, record) = (request.command_id, record.clone());
                return Err(AppendError::Repeated { command_id, record });
            }
            if !self.is(Mutation::SkipVersions)
                && let Some(stream) = history.moved_on(&request)
            {
                return Err(AppendError::Conflict { stream });
            }
            history.append(request, self.clock.now(), !self.is(Mutation::ForgetCommands))
        };
        self.oracle().committed(self.clock.now(), &events);
        self.head.send_replace(receipt.last_position);
        self.growth.notify_waiters();
        Ok(receipt)
    }
}

impl History {
    fn version(&self, stream: StreamId) -> Sequence {
        self.streams.get(&stream).map_or(0, |events| events.len() as Sequence)
    }

    /// The first stream that is not where the request takes it to be.
    fn moved_on(&self, request: &AppendRequest) -> Option<StreamId> {
        let written = request.streams.iter().map(|append| (append.stream, append.expected_version));
        let seen = request.observed.iter().map(|StreamVersion { stream, version }| (*stream, *version));
        written
            .chain(seen)
            .filter(|(stream, version)| self.version(*stream) != *version)
            .map(|(stream, _)| stream)
            .min()
    }

    fn append(
        &mut self,
        request: AppendRequest,
        recorded_at: Timestamp,
        remembers: bool,
    ) -> (Receipt, Vec<Arc<LogEvent>>) {
        let first_position = self.events.len() as Position + 1;
        let from = self.events.len();
        for append in request.streams {
            for new in append.events {
                let payload: serde_json::Value = serde_json::from_str(&new.payload).expect("events are JSON");
                let header = EventHeader {
                    position: self.events.len() as Position + 1,
                    aggregate_type: append.stream.kind,
                    aggregate_id: append.stream.id,
                    sequence: self.version(append.stream) + 1,
                    event_id: new.event_id,
                    event_type: new.event_type,
                    event_version: new.event_version,
                    command_id: request.command_id,
                    causation_id: request.causation_id,
                    correlation_id: request.correlation_id,
                    actor: request.actor.clone(),
                    recorded_at,
                    chain_hash: [0; 32],
                };
                let event = AnyEvent::decode(append.stream.kind, payload).expect("an event of its aggregate");
                let event = Arc::new(LogEvent { header, event });
                self.streams.entry(append.stream).or_default().push(Arc::clone(&event));
                self.events.push(event);
            }
        }
        let receipt = Receipt { first_position, last_position: self.events.len() as Position, recorded_at };
        if let (Some(repeatable), true) = (request.repeatable, remembers) {
            let record = CommandRecord { request_digest: repeatable.request_digest, receipt: receipt.clone() };
            self.commands.insert(request.command_id, record);
        }
        (receipt, self.events[from..].to_vec())
    }
}

/// The log as one process has it.
pub struct NodeLog {
    pub shared: Arc<Shared>,
    pub life: Life,
    /// Which router of this world's history this process has.
    pub node: u64,
}

impl NodeLog {
    async fn take(&self, most_micros: usize) {
        let micros = self.shared.below(most_micros) as u64;
        self.shared.clock.sleep(std::time::Duration::from_micros(micros)).await;
        self.life.check().await;
    }

    fn fails(&self) -> bool {
        let is_stormy = self.shared.clock.now() < self.shared.weather().storm;
        is_stormy && self.shared.below(100) < 35
    }
}

#[async_trait]
impl EventLog for NodeLog {
    async fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        self.life.check().await;
        if request.actor == "system:router" {
            self.shared.oracle().router_tries(self.node, self.shared.clock.now(), &request);
        }
        self.take(20_000).await;
        if self.fails() {
            return Err(unavailable());
        }
        let answer = self.shared.commit(request);
        self.take(20_000).await;
        // The answer is lost, whatever it was.
        if self.fails() { Err(unavailable()) } else { answer }
    }

    async fn find_command(&self, command_id: CommandId) -> Result<Option<CommandRecord>, ReadError> {
        self.life.check().await;
        Ok(self.shared.history().commands.get(&command_id).cloned())
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<Arc<LogEvent>>, ReadError> {
        self.life.check().await;
        Ok(self.shared.after(after, limit))
    }

    /// At once: in which order an aggregate's streams are read is not said.
    async fn read_stream(&self, stream: StreamId, after: Sequence) -> Result<Vec<StreamEvent>, ReadError> {
        self.life.check().await;
        let history = self.shared.history();
        let events = history.streams.get(&stream).into_iter().flatten();
        let seen = |event: &AnyEvent| {
            let disguised = self.shared.mutation.and_then(|mutation| mutation.disguise(event));
            payload(disguised.as_ref().unwrap_or(event))
        };
        let newer = events.filter(|event| event.header.sequence > after);
        Ok(newer.map(|event| StreamEvent { sequence: event.header.sequence, payload: seen(&event.event) }).collect())
    }

    async fn find_snapshot(&self, _: StreamId, _: &str) -> Result<Option<VersionedState>, ReadError> {
        Ok(None)
    }

    async fn save_snapshot(&self, _: StreamId, _: &str, _: VersionedState) -> Result<(), ReadError> {
        Ok(())
    }

    async fn head(&self) -> Result<LogHead, ReadError> {
        let (position, recorded_at) = (self.shared.end(), self.shared.clock.now());
        Ok(LogHead { position, chain_hash: [0; 32], recorded_at, epoch: Uuid::nil() })
    }

    async fn find_grown(&self, seen: &[SeenStream], as_of: Option<AsOf>) -> Result<Growth, ReadError> {
        find_grown_by_reading(self, seen, as_of).await
    }

    fn nothing_read(&self) -> Freshness {
        Freshness::new(0, self.shared.end())
    }

    fn has_broken_down(&self) -> bool {
        false
    }

    fn known_position(&self) -> watch::Receiver<Position> {
        self.shared.head.subscribe()
    }
}

fn unavailable() -> AppendError {
    AppendError::Unavailable { source: "a storm".into() }
}

fn payload(event: &AnyEvent) -> serde_json::Value {
    let json = match event {
        AnyEvent::Conversation(event) => serde_json::to_value(event),
        AnyEvent::Thread(event) => serde_json::to_value(event),
        AnyEvent::Agent(event) => serde_json::to_value(event),
        AnyEvent::Visitor(event) => serde_json::to_value(event),
        AnyEvent::Group(event) => serde_json::to_value(event),
        AnyEvent::Tag(event) => serde_json::to_value(event),
        AnyEvent::EmailClaim(event) => serde_json::to_value(event),
        AnyEvent::TagNameClaim(event) => serde_json::to_value(event),
        AnyEvent::Workspace(event) => serde_json::to_value(event),
    };
    json.expect("events can be written as JSON")
}
