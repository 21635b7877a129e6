use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use domain::event::AnyEvent;
use domain::ids::CommandId;
use domain::time::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use uuid::Uuid;

use crate::ports::{
    AppendError, AppendRequest, AsOf, CommandRecord, ErasedText, EventHeader, EventLog, Freshness, Growth, LogEvent,
    LogHead, PersonalDataLog, Position, ReadError, Receipt, SeenStream, Sequence, StoredText, StreamEvent, StreamId,
    VersionedState,
};

/// An event log in memory, whose database can be away.
pub struct MemoryLog {
    stored: Mutex<Stored>,
    position: watch::Sender<Position>,
    is_away: AtomicBool,
}

#[derive(Default)]
struct Stored {
    events: Vec<(Arc<LogEvent>, Value)>,
    commands: HashMap<CommandId, CommandRecord>,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let (position, is_away) = (watch::Sender::new(0), AtomicBool::new(false));
        Arc::new(Self { stored: Mutex::default(), position, is_away })
    }

    /// Every append fails from now on, as when the database is away.
    pub fn go_away(&self) {
        self.is_away.store(true, Ordering::Relaxed);
    }

    /// All events.
    #[must_use]
    pub fn events(&self) -> Vec<Arc<LogEvent>> {
        self.stored().events.iter().map(|(event, _)| Arc::clone(event)).collect()
    }

    /// Housekeeping has removed the records of all repeatable commands.
    #[cfg(test)]
    pub(crate) fn forget_commands(&self) {
        self.stored().commands.clear();
    }

    /// The records of repeatable commands name the events at these positions.
    #[cfg(test)]
    pub(crate) fn misplace_commands(&self, first_position: Position, last_position: Position) {
        for record in self.stored().commands.values_mut() {
            record.receipt = Receipt { first_position, last_position, ..record.receipt.clone() };
        }
    }

    /// The wire names of all events.
    #[must_use]
    pub fn event_types(&self) -> Vec<String> {
        self.stored().events.iter().map(|(event, _)| event.header.event_type.clone()).collect()
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().expect("no test panics while it holds the log")
    }
}

impl Stored {
    fn version(&self, stream: StreamId) -> Sequence {
        self.events.iter().filter(|(event, _)| event.header.stream() == stream).count() as Sequence
    }

    fn moved_on(&self, request: &AppendRequest) -> Option<StreamId> {
        let written = request.streams.iter().map(|append| (append.stream, append.expected_version));
        let observed = request.observed.iter().map(|seen| (seen.stream, seen.version));
        let mut expected = written.chain(observed);
        expected.find(|(stream, version)| self.version(*stream) != *version).map(|(stream, _)| stream)
    }

    fn append(&mut self, request: &AppendRequest) -> Receipt {
        let first_position = self.events.len() as Position + 1;
        for append in &request.streams {
            for new in &append.events {
                let header = EventHeader {
                    position: self.events.len() as Position + 1,
                    aggregate_type: append.stream.kind,
                    aggregate_id: append.stream.id,
                    sequence: self.version(append.stream) + 1,
                    event_id: new.event_id,
                    event_type: new.event_type.clone(),
                    event_version: new.event_version.clone(),
                    command_id: request.command_id,
                    causation_id: request.causation_id,
                    correlation_id: request.correlation_id,
                    actor: request.actor.clone(),
                    recorded_at: Timestamp::default(),
                    chain_hash: [0; 32],
                };
                self.events.push(stored_event(header, &new.payload));
            }
        }
        let last_position = self.events.len() as Position;
        Receipt { first_position, last_position, recorded_at: Timestamp::default() }
    }
}

fn stored_event(header: EventHeader, payload: &str) -> (Arc<LogEvent>, Value) {
    let payload: Value = serde_json::from_str(payload).expect("payloads are JSON");
    let event = AnyEvent::decode(header.aggregate_type, payload.clone()).expect("payloads are events");
    (Arc::new(LogEvent { header, event }), payload)
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(AppendError::Unavailable { source: "the database is away".into() });
        }
        let mut stored = self.stored();
        if let Some(record) = stored.commands.get(&request.command_id) {
            return Err(AppendError::Repeated { command_id: request.command_id, record: record.clone() });
        }
        if let Some(stream) = stored.moved_on(&request) {
            return Err(AppendError::Conflict { stream });
        }
        let receipt = stored.append(&request);
        if let Some(repeatable) = request.repeatable {
            let record = CommandRecord { request_digest: repeatable.request_digest, receipt: receipt.clone() };
            stored.commands.insert(request.command_id, record);
        }
        self.position.send_replace(receipt.last_position);
        Ok(receipt)
    }

    async fn find_command(&self, command_id: CommandId) -> Result<Option<CommandRecord>, ReadError> {
        Ok(self.stored().commands.get(&command_id).cloned())
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<Arc<LogEvent>>, ReadError> {
        let from = usize::try_from(after).expect("positions are not negative");
        let stored = self.stored();
        Ok(stored.events.iter().skip(from).take(limit).map(|(event, _)| Arc::clone(event)).collect())
    }

    async fn read_stream(&self, stream: StreamId, after: Sequence) -> Result<Vec<StreamEvent>, ReadError> {
        let stored = self.stored();
        let of_stream = stored.events.iter().filter(|(event, _)| event.header.stream() == stream);
        let newer = of_stream.filter(|(event, _)| event.header.sequence > after);
        let read = newer.map(|(event, payload)| (event.header.sequence, payload.clone()));
        Ok(read.map(|(sequence, payload)| StreamEvent { sequence, payload }).collect())
    }

    async fn find_snapshot(&self, _: StreamId, _: &str) -> Result<Option<VersionedState>, ReadError> {
        Ok(None)
    }

    async fn save_snapshot(&self, _: StreamId, _: &str, _: VersionedState) -> Result<(), ReadError> {
        Ok(())
    }

    async fn head(&self) -> Result<LogHead, ReadError> {
        let (position, recorded_at) = (*self.position.borrow(), Timestamp::default());
        Ok(LogHead { position, chain_hash: [0; 32], recorded_at, epoch: Uuid::nil() })
    }

    async fn find_grown(&self, seen: &[SeenStream], as_of: Option<AsOf>) -> Result<Growth, ReadError> {
        find_grown_by_reading(self, seen, as_of).await
    }

    fn nothing_read(&self) -> Freshness {
        Freshness::new(0, *self.position.borrow())
    }

    fn has_broken_down(&self) -> bool {
        false
    }

    fn known_position(&self) -> watch::Receiver<Position> {
        self.position.subscribe()
    }
}

#[async_trait]
impl PersonalDataLog for MemoryLog {
    async fn read_texts(&self, stream: StreamId, after: Sequence, limit: usize) -> Result<Vec<StoredText>, ReadError> {
        let stored = self.stored();
        let of_stream = stored.events.iter().filter(|(event, _)| event.header.stream() == stream);
        let newer = of_stream.filter(|(event, _)| event.header.sequence > after);
        let text = |(event, payload): &(Arc<LogEvent>, Value)| StoredText {
            event: Arc::clone(event),
            payload: payload.to_string(),
            erased: false,
        };
        Ok(newer.take(limit).map(text).collect())
    }

    async fn append_erasure(&self, request: AppendRequest, texts: Vec<ErasedText>) -> Result<Receipt, AppendError> {
        let receipt = self.append(request).await?;
        let mut stored = self.stored();
        for ErasedText { header, payload } in texts {
            let place = usize::try_from(header.position).expect("positions are not negative") - 1;
            stored.events[place] = stored_event(header, &payload);
        }
        Ok(receipt)
    }

    async fn forget_answers(&self, _: &BTreeSet<Uuid>) -> Result<u64, ReadError> {
        Ok(0)
    }

    async fn wipe(&self) -> Result<bool, ReadError> {
        Ok(true)
    }
}

/// [`EventLog::find_grown`] for logs in memory, such as those of tests: it reads each stream.
///
/// # Errors
/// See [`ReadError`].
pub async fn find_grown_by_reading(
    log: &dyn EventLog,
    seen: &[SeenStream],
    as_of: Option<AsOf>,
) -> Result<Growth, ReadError> {
    let as_of = as_of.map_or_else(|| *log.known_position().borrow(), AsOf::position);
    let now = log.nothing_read();
    let mut grown = vec![];
    for SeenStream { stream, freshness } in seen {
        let is_outdated = freshness.is_of_another_generation(&now);
        if is_outdated || !log.read_stream(*stream, freshness.version()).await?.is_empty() {
            grown.push(*stream);
        }
    }
    Ok(Growth { grown, as_of })
}
