use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use application::ports::{
    AppendError, AppendRequest, AsOf, CommandRecord, ErasedText, EventHeader, EventLog, Freshness, Growth, LogEvent,
    LogHead, PersonalDataLog, Position, ReadError, Receipt, SeenStream, Sequence, StoredText, StreamEvent, StreamId,
    VersionedState, find_grown_by_reading,
};
use async_trait::async_trait;
use domain::event::AnyEvent;
use domain::ids::CommandId;
use domain::time::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use uuid::Uuid;

/// An event log in memory.
pub(crate) struct MemoryLog {
    stored: Mutex<Vec<Stored>>,
    position: watch::Sender<Position>,
}

struct Stored {
    event: Arc<LogEvent>,
    payload: Value,
}

impl MemoryLog {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { stored: Mutex::new(vec![]), position: watch::Sender::new(0) })
    }

    pub(crate) fn events(&self) -> Vec<Arc<LogEvent>> {
        self.stored.lock().unwrap().iter().map(|stored| stored.event.clone()).collect()
    }

    fn version(stored: &[Stored], stream: StreamId) -> Sequence {
        stored.iter().filter(|stored| stored.event.header.stream() == stream).count() as Sequence
    }

    fn push(stored: &mut Vec<Stored>, request: &AppendRequest) {
        for append in &request.streams {
            for new in &append.events {
                let payload: Value = serde_json::from_str(&new.payload).unwrap();
                let header = EventHeader {
                    position: stored.len() as Position + 1,
                    aggregate_type: append.stream.kind,
                    aggregate_id: append.stream.id,
                    sequence: Self::version(stored, append.stream) + 1,
                    event_id: new.event_id,
                    event_type: new.event_type.clone(),
                    event_version: new.event_version.clone(),
                    command_id: request.command_id,
                    causation_id: None,
                    correlation_id: request.correlation_id,
                    actor: request.actor.clone(),
                    recorded_at: Timestamp::from_micros(0),
                    chain_hash: [0; 32],
                };
                let event = AnyEvent::decode(append.stream.kind, payload.clone()).unwrap();
                stored.push(Stored { event: Arc::new(LogEvent { header, event }), payload });
            }
        }
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        let mut stored = self.stored.lock().unwrap();
        for append in &request.streams {
            if Self::version(&stored, append.stream) != append.expected_version {
                return Err(AppendError::Conflict { stream: append.stream });
            }
        }
        let first_position = stored.len() as Position + 1;
        Self::push(&mut stored, &request);
        let last_position = stored.len() as Position;
        self.position.send_replace(last_position);
        Ok(Receipt { first_position, last_position, recorded_at: Timestamp::from_micros(0) })
    }

    async fn find_command(&self, _: CommandId) -> Result<Option<CommandRecord>, ReadError> {
        Ok(None)
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<Arc<LogEvent>>, ReadError> {
        Ok(self.events().into_iter().skip(usize::try_from(after).unwrap()).take(limit).collect())
    }

    async fn read_stream(&self, stream: StreamId, after: Sequence) -> Result<Vec<StreamEvent>, ReadError> {
        let stored = self.stored.lock().unwrap();
        let of_stream = stored
            .iter()
            .filter(|stored| stored.event.header.stream() == stream && stored.event.header.sequence > after);
        Ok(of_stream
            .map(|stored| StreamEvent { sequence: stored.event.header.sequence, payload: stored.payload.clone() })
            .collect())
    }

    async fn find_snapshot(&self, _: StreamId, _: &str) -> Result<Option<VersionedState>, ReadError> {
        Ok(None)
    }

    async fn save_snapshot(&self, _: StreamId, _: &str, _: VersionedState) -> Result<(), ReadError> {
        Ok(())
    }

    async fn head(&self) -> Result<LogHead, ReadError> {
        let position = *self.position.borrow();
        Ok(LogHead { position, chain_hash: [0; 32], recorded_at: Timestamp::from_micros(0), epoch: Uuid::nil() })
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
        let stored = self.stored.lock().unwrap();
        let of_stream = stored
            .iter()
            .filter(|stored| stored.event.header.stream() == stream && stored.event.header.sequence > after);
        let text = |stored: &Stored| StoredText {
            event: stored.event.clone(),
            payload: stored.payload.to_string(),
            erased: false,
        };
        Ok(of_stream.take(limit).map(text).collect())
    }

    async fn append_erasure(&self, request: AppendRequest, texts: Vec<ErasedText>) -> Result<Receipt, AppendError> {
        let receipt = self.append(request).await?;
        let mut stored = self.stored.lock().unwrap();
        for ErasedText { header, payload } in texts {
            let payload: Value = serde_json::from_str(&payload).unwrap();
            let event = AnyEvent::decode(header.aggregate_type, payload.clone()).unwrap();
            let place = usize::try_from(header.position).unwrap() - 1;
            stored[place] = Stored { event: Arc::new(LogEvent { header, event }), payload };
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
