//! The newest events, decoded once for everybody who follows the log.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use application::ports::{Hash, LogEvent, Position, SeenStream, Sequence, StreamId};
use domain::event::AnyEvent;
use domain::visitor::VisitorEvent;

/// A contiguous run of the newest events, up to a fixed number.
pub(crate) struct Ring {
    capacity: usize,
    state: RwLock<State>,
}

struct State {
    /// The position of the last event; also known while there are no events.
    end: Position,
    events: VecDeque<Arc<LogEvent>>,
    /// The last event of each stream that has any here.
    newest: HashMap<StreamId, Sequence>,
    /// The farthest end of the log that was ever heard of.
    farthest: Position,
    /// Up to here it is not known which events are meant: a crash of the database may have taken some back, and others may
    /// be in their place.
    doubtful: Position,
    /// How often it was seen that events were taken back.
    setbacks: u64,
}

impl State {
    fn before_first(&self) -> Position {
        self.end - Position::try_from(self.events.len()).unwrap_or(Position::MAX)
    }

    fn clear(&mut self) {
        self.events.clear();
        self.newest.clear();
    }

    fn restart(&mut self, end: Position) {
        self.clear();
        self.end = end;
        self.farthest = self.farthest.max(end);
        self.doubtful = self.farthest;
    }

    fn push(&mut self, event: Arc<LogEvent>) {
        let header = &event.header;
        self.end = header.position;
        self.farthest = self.farthest.max(self.end);
        self.newest.insert(header.stream(), header.sequence);
        self.events.push_back(event);
    }

    fn drop_first(&mut self) {
        let Some(first) = self.events.pop_front() else { return };
        let stream = first.header.stream();
        if self.newest.get(&stream) == Some(&first.header.sequence) {
            self.newest.remove(&stream);
        }
    }
}

impl Ring {
    /// A ring that takes up the events after `end`.
    pub(crate) fn new(capacity: usize, end: Position) -> Self {
        let events = VecDeque::with_capacity(capacity);
        Self {
            capacity,
            state: RwLock::new(State { end, events, newest: HashMap::new(), farthest: end, doubtful: 0, setbacks: 0 }),
        }
    }

    /// The position up to which events have been pushed.
    pub(crate) fn end(&self) -> Position {
        self.read().end
    }

    /// How many events fit.
    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Takes note of how far the log was said to go.
    pub(crate) fn heard_of(&self, end: Position) {
        let mut state = self.write();
        state.farthest = state.farthest.max(end);
    }

    /// How often it was set back.
    pub(crate) fn setbacks(&self) -> u64 {
        self.read().setbacks
    }

    /// Forgets everything and goes on after `end`. Whatever was known up to now may be of another history.
    pub(crate) fn restart(&self, end: Position) {
        self.write().restart(end);
    }

    /// Restarts because a crash of the database has taken events back.
    pub(crate) fn set_back(&self, end: Position) {
        tracing::warn!(position = end, "the database has taken back what was not yet on its disk");
        let mut state = self.write();
        state.restart(end);
        state.setbacks += 1;
    }

    /// Takes events that are contiguous among themselves. Those that it has are skipped; a gap before them makes it
    /// forget the older ones.
    pub(crate) fn push(&self, events: Vec<Arc<LogEvent>>) {
        let mut state = self.write();
        for event in events {
            let position = event.header.position;
            if position <= state.end {
                continue;
            }
            if position != state.end + 1 || takes_texts_away(&event) {
                state.clear();
            }
            if state.events.len() == self.capacity {
                state.drop_first();
            }
            state.push(event);
        }
    }

    /// Whether a stream has events after this version, if that can be told: when everything of it up to `as_of` is known,
    /// and the ring holds all that follows, up to `end` at least.
    pub(crate) fn has_grown(&self, seen: &SeenStream, end: Position) -> Option<bool> {
        let state = self.read();
        let as_of = seen.freshness.as_of();
        let is_held = state.before_first() <= as_of && as_of > state.doubtful && end <= state.end;
        is_held.then(|| state.newest.get(&seen.stream).is_some_and(|newest| *newest > seen.freshness.version()))
    }

    /// At most `limit` events after `after`, if the ring holds the first of them.
    pub(crate) fn after(&self, after: Position, limit: usize) -> Option<Vec<Arc<LogEvent>>> {
        let state = self.read();
        if after >= state.end {
            return None;
        }
        let skip = usize::try_from(after - state.before_first()).ok()?;
        Some(state.events.iter().skip(skip).take(limit).cloned().collect())
    }

    /// Whether it holds the event at its end.
    pub(crate) fn holds_its_end(&self) -> bool {
        !self.read().events.is_empty()
    }

    /// Whether it holds another event at a position than the one with this hash.
    pub(crate) fn contradicts(&self, position: Position, chain_hash: &Hash) -> bool {
        let state = self.read();
        let index = position.checked_sub(state.before_first() + 1).and_then(|index| usize::try_from(index).ok());
        let held = index.and_then(|index| state.events.get(index));
        held.is_some_and(|event| event.header.chain_hash != *chain_hash)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether events before this one are stored otherwise by now: who needs them reads them anew.
fn takes_texts_away(event: &LogEvent) -> bool {
    matches!(&event.event, AnyEvent::Visitor(VisitorEvent::PersonalDataErased { payloads, .. }) if !payloads.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_log::testing::log_event;
    use application::ports::Freshness;
    use domain::time::Timestamp;
    use domain::visitor::ErasedPayload;

    fn ring(capacity: usize, end: Position, positions: impl Iterator<Item = Position>) -> Ring {
        let ring = Ring::new(capacity, end);
        ring.push(positions.map(log_event).collect());
        ring
    }

    fn positions(ring: &Ring, after: Position, limit: usize) -> Option<Vec<Position>> {
        Some(ring.after(after, limit)?.iter().map(|event| event.header.position).collect())
    }

    #[test]
    fn it_answers_only_for_what_it_holds() {
        let ring = ring(3, 10, 11..=15);
        assert_eq!(positions(&ring, 11, 10), None, "12 has been pushed out");
        assert_eq!(positions(&ring, 12, 10), Some(vec![13, 14, 15]));
        assert_eq!(positions(&ring, 13, 1), Some(vec![14]));
        assert_eq!(positions(&ring, 15, 10), None, "there may be more in the database");
    }

    #[test]
    fn empty_ring_knows_nothing() {
        let ring = ring(3, 10, 0..0);
        assert_eq!(positions(&ring, 9, 10), None);
        assert_eq!(positions(&ring, 10, 10), None);
        assert_eq!(ring.end(), 10);
    }

    #[test]
    fn gap_makes_it_forget_and_repetition_is_skipped() {
        let ring = ring(5, 0, 1..=3);
        ring.push((2..=4).map(log_event).collect());
        assert_eq!(positions(&ring, 0, 10), Some(vec![1, 2, 3, 4]));
        ring.push((8..=9).map(log_event).collect());
        assert_eq!(positions(&ring, 3, 10), None);
        assert_eq!(positions(&ring, 7, 10), Some(vec![8, 9]));
        assert_eq!(positions(&ring, 6, 10), None);
    }

    #[test]
    fn it_tells_of_growth_only_where_it_holds_all_that_followed() {
        let ring = ring(3, 10, 11..=15);
        let stream = log_event(1).header.stream();
        let seen = |version, as_of| SeenStream { stream, freshness: Freshness::new(0, as_of).at_version(version) };
        assert_eq!(ring.has_grown(&seen(14, 14), 15), Some(true));
        assert_eq!(ring.has_grown(&seen(15, 12), 15), Some(false), "what was read is newer than the place");
        assert_eq!(ring.has_grown(&seen(15, 11), 15), None, "12 has been pushed out");
        assert_eq!(ring.has_grown(&seen(15, 15), 16), None, "16 is not here yet");
        let other = StreamId { id: uuid::Uuid::max(), ..stream };
        assert_eq!(ring.has_grown(&SeenStream { stream: other, ..seen(7, 12) }, 15), Some(false));
        // A crash took events back after 20 was heard of: others may be there now, so that nothing up to 20 counts.
        ring.heard_of(20);
        ring.set_back(13);
        assert_eq!(ring.setbacks(), 1);
        assert_eq!(ring.has_grown(&seen(13, 13), 13), None);
        ring.push((14..=22).map(log_event).collect());
        assert_eq!(ring.has_grown(&seen(20, 20), 22), None);
        assert_eq!(ring.has_grown(&seen(21, 21), 22), Some(true));
        assert_eq!(ring.has_grown(&seen(22, 21), 22), Some(false));
    }

    #[test]
    fn erasure_makes_it_forget_what_it_held_of_the_person() {
        let erasure = |position, payloads| {
            let at = Timestamp::from_micros(0);
            let event = VisitorEvent::PersonalDataErased { payloads, conversation_ids: vec![], at };
            Arc::new(LogEvent { event: AnyEvent::Visitor(event), ..(*log_event(position)).clone() })
        };
        let ring = ring(5, 0, 1..=2);
        ring.push(vec![erasure(3, vec![])]);
        assert_eq!(positions(&ring, 0, 10), Some(vec![1, 2, 3]));
        ring.push(vec![erasure(4, vec![ErasedPayload { position: 2, digest: String::new() }])]);
        assert_eq!(positions(&ring, 2, 10), None);
        assert_eq!(positions(&ring, 3, 10), Some(vec![4]));
    }
}
