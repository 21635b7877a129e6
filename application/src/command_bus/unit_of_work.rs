use std::collections::HashMap;
use std::sync::Arc;

use cqrs_es::DomainEvent;
use domain::aggregate::Root;
use domain::event::AnyEvent;
use domain::ids::EventId;
use domain::time::Timestamp;
use uuid::Uuid;

use super::Inner;
use super::cache::AnyState;
use super::snapshot::{self, Snapshot};
use crate::UseCaseError;
use crate::ports::{
    AsOf, Growth, NewEvent, Receipt, SeenStream, Sequence, StreamAppend, StreamEvent, StreamId, StreamVersion,
};

/// A snapshot is saved after this many events, both when a stream is loaded and when it grows in memory. Some streams
/// grow for years: an agent's gets events with each chat.
const SNAPSHOT_EVERY: Sequence = 200;

/// The aggregates that one use case reads, and their decisions.
pub struct UnitOfWork {
    inner: Arc<Inner>,
    now: Timestamp,
    entries: HashMap<StreamId, Entry>,
    /// The streams with new events, in the order of their first one.
    changed: Vec<StreamId>,
    /// Everything that was decided, in order.
    decided: Vec<AnyEvent>,
}

struct Entry {
    /// How much of the log the state contains.
    seen: SeenStream,
    state: AnyState,
    events: Vec<NewEvent>,
    from_cache: bool,
    /// Saved once the events are in the log.
    snapshot: Option<Snapshot>,
}

/// Whether snapshots may be saved: personal data is in the log only, where erasure finds it.
const fn is_kept<A: Root>() -> bool {
    !A::KIND.holds_personal_data()
}

impl Entry {
    const fn of(seen: SeenStream, state: AnyState, from_cache: bool) -> Self {
        Self { seen, state, events: vec![], from_cache, snapshot: None }
    }

    /// The version including the new events.
    fn version_after(&self) -> Sequence {
        self.seen.freshness.version() + Sequence::try_from(self.events.len()).unwrap_or(Sequence::MAX)
    }
}

impl UnitOfWork {
    pub(super) fn new(inner: &Arc<Inner>) -> Self {
        let now = inner.clock.now();
        Self { inner: Arc::clone(inner), now, entries: HashMap::new(), changed: vec![], decided: vec![] }
    }

    /// The time of this use case; all its events have it.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// A new id.
    #[must_use]
    pub fn new_uuid(&self) -> Uuid {
        self.inner.ids.new_uuid()
    }

    /// An aggregate including its new events; the default state if it has no events.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn load<A: Root>(&mut self, id: A::Id) -> Result<Arc<A>, UseCaseError> {
        let stream = StreamId::of::<A>(id);
        if !self.entries.contains_key(&stream) {
            let entry = self.fetch::<A>(stream).await?;
            self.entries.insert(stream, entry);
        }
        Ok(typed(&self.entries[&stream].state))
    }

    /// Adds an aggregate whose id was made here: no one else can have written to it, so nothing is read.
    pub fn begin<A: Root>(&mut self, id: A::Id) {
        let stream = StreamId::of::<A>(id);
        let entry = Entry::of(self.inner.nothing_seen(stream), Arc::new(A::default()), false);
        self.entries.entry(stream).or_insert(entry);
    }

    /// Lets an aggregate decide a command, whose events will be appended. Returns whether there are any.
    ///
    /// # Errors
    /// If the aggregate refuses or the log cannot be read.
    pub async fn execute<A: Root>(&mut self, id: A::Id, command: A::Command) -> Result<bool, UseCaseError>
    where
        UseCaseError: From<A::Error>,
    {
        let stream = StreamId::of::<A>(id);
        let mut state = self.load::<A>(id).await?;
        let events = state.decide(command)?;
        let decided = !events.is_empty();
        let mut new_events = Vec::with_capacity(events.len());
        for event in events {
            new_events.push(self.record(&event)?);
            self.decided.push(AnyEvent::from_aggregate::<A>(&event));
            Arc::make_mut(&mut state).apply(event);
        }
        if let Some(entry) = self.entries.get_mut(&stream) {
            if decided && entry.events.is_empty() {
                self.changed.push(stream);
            }
            let before = entry.version_after();
            entry.events.extend(new_events);
            let after = entry.version_after();
            if is_kept::<A>() && before / SNAPSHOT_EVERY != after / SNAPSHOT_EVERY {
                entry.snapshot = Some(Snapshot::of(after, &*state)?);
            }
            entry.state = state;
        }
        Ok(decided)
    }

    /// Checks that an aggregate is still at the version that the caller knows.
    ///
    /// # Errors
    /// [`UseCaseError::VersionMoved`], or if the log cannot be read.
    pub async fn ensure_version<A: Root>(&mut self, id: A::Id, known: Option<Sequence>) -> Result<(), UseCaseError> {
        let state = self.load::<A>(id).await?;
        let events = self.entries.get(&StreamId::of::<A>(id)).map_or(0, |entry| entry.seen.freshness.version());
        let current = state.edited_version(events);
        match known {
            Some(known) if known != current => Err(UseCaseError::VersionMoved { current }),
            Some(_) | None => Ok(()),
        }
    }

    fn record<E: DomainEvent>(&self, event: &E) -> Result<NewEvent, UseCaseError> {
        Ok(NewEvent {
            event_id: EventId::new(self.new_uuid()),
            event_type: event.event_type(),
            event_version: event.event_version(),
            payload: serde_json::to_string(event)?,
        })
    }

    async fn fetch<A: Root>(&self, stream: StreamId) -> Result<Entry, UseCaseError> {
        let SeenStream { freshness, .. } = self.inner.nothing_seen(stream);
        let is_usable = |seen: &SeenStream| !seen.freshness.is_of_another_generation(&freshness);
        if let Some((seen, state)) = self.inner.cache.get(stream).filter(|(seen, _)| is_usable(seen)) {
            return Ok(Entry::of(seen, state, true));
        }
        let snapshot = if is_kept::<A>() { self.inner.log.find_snapshot(stream, A::FINGERPRINT).await? } else { None };
        let usable = snapshot.and_then(snapshot::read::<A>);
        let (before, mut state, events) = self.with_events_after(stream, usable.unwrap_or_default()).await?;
        let mut version = before;
        for event in events {
            version = event.sequence;
            state.apply(decode::<A>(event)?);
        }
        if is_kept::<A>() && version - before >= SNAPSHOT_EVERY {
            Snapshot::of(version, &state)?.save(&self.inner.log, stream);
        }
        Ok(Entry::of(SeenStream { stream, freshness: freshness.at_version(version) }, Arc::new(state), false))
    }

    /// A state with the later events of its stream. A snapshot of events that the log does not have is ignored, too: the
    /// database was set back.
    async fn with_events_after<A: Root>(
        &self,
        stream: StreamId,
        (version, state): (Sequence, A),
    ) -> Result<(Sequence, A, Vec<StreamEvent>), UseCaseError> {
        if version <= 0 {
            return Ok((0, A::default(), self.inner.log.read_stream(stream, 0).await?));
        }
        let mut events = self.inner.log.read_stream(stream, version - 1).await?;
        if events.first().is_some_and(|event| event.sequence == version) {
            events.remove(0);
            return Ok((version, state, events));
        }
        Ok((0, A::default(), self.inner.log.read_stream(stream, 0).await?))
    }

    /// Everything that was decided, in order.
    pub(super) fn take_decided(&mut self) -> Vec<AnyEvent> {
        std::mem::take(&mut self.decided)
    }

    pub(super) const fn has_events(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Drops the states that lag behind the log, as of now or of `as_of`, and returns whether there were any. States
    /// that were just read are checked too if there are several: a write between two reads may have made them
    /// inconsistent.
    pub(super) async fn refresh(&mut self, as_of: Option<AsOf>) -> Result<bool, UseCaseError> {
        let several = self.entries.len() > 1;
        let looked_at = self.entries.values().filter(|entry| entry.from_cache || several);
        let seen: Vec<_> = looked_at.map(|entry| entry.seen).collect();
        if seen.is_empty() {
            return Ok(false);
        }
        let Growth { grown, as_of } = self.inner.log.find_grown(&seen, as_of).await?;
        for SeenStream { stream, .. } in seen {
            if let Some(entry) = self.entries.get_mut(&stream) {
                entry.seen.freshness = entry.seen.freshness.confirmed(as_of);
            }
        }
        for stream in &grown {
            self.inner.cache.remove(*stream);
            self.entries.remove(stream);
        }
        Ok(!grown.is_empty())
    }

    /// The versions of the streams that were only read.
    pub(super) fn observed(&self) -> Vec<StreamVersion> {
        let unchanged = self.entries.values().filter(|entry| entry.events.is_empty()).map(|entry| entry.seen);
        unchanged.map(|seen| StreamVersion { stream: seen.stream, version: seen.freshness.version() }).collect()
    }

    /// Takes the new events out, as one append.
    pub(super) fn take_appends(&mut self) -> Vec<StreamAppend> {
        let mut appends = vec![];
        for stream in std::mem::take(&mut self.changed) {
            if let Some(entry) = self.entries.get_mut(&stream) {
                let expected_version = entry.seen.freshness.version();
                entry.seen.freshness = entry.seen.freshness.at_version(entry.version_after());
                let events = std::mem::take(&mut entry.events);
                appends.push(StreamAppend { stream, expected_version, events });
            }
        }
        appends
    }

    /// Notes that the append succeeded.
    pub(super) fn appended(&mut self, streams: &[StreamId], receipt: &Receipt) {
        for stream in streams {
            if let Some(entry) = self.entries.get_mut(stream) {
                entry.seen.freshness = entry.seen.freshness.confirmed(receipt.last_position);
                if let Some(snapshot) = entry.snapshot.take() {
                    snapshot.save(&self.inner.log, *stream);
                }
            }
        }
    }

    /// Keeps the states for the next use case. Call it only if all decided events are in the log.
    pub(super) fn keep(self) {
        for entry in self.entries.into_values() {
            // Missing streams are not kept: they are cheap to look up, and a stranger can name any number of them.
            if entry.events.is_empty() && entry.seen.freshness.version() > 0 {
                self.inner.cache.put(entry.seen, entry.state);
            }
        }
    }

    /// Makes the next use case load all these streams again.
    pub(super) fn forget(&mut self) {
        for stream in self.entries.keys() {
            self.inner.cache.remove(*stream);
        }
    }
}

fn decode<A: Root>(event: StreamEvent) -> Result<A::Event, UseCaseError> {
    Ok(serde_json::from_value(event.payload)?)
}

fn typed<A: Root>(state: &AnyState) -> Arc<A> {
    Arc::clone(state).downcast().expect("a stream's kind determines the type of its state")
}
