//! The newest events, decoded once for all followers of the log.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use application::ports::{Hash, LogEvent, Position, SeenStream, Sequence, StreamId};
use domain::event::AnyEvent;
use domain::visitor::VisitorEvent;

/// A contiguous run of the newest events, up to a fixed number.
pub(crate) struct RecentEvents {
    capacity: usize,
    state: RwLock<State>,
}

struct State {
    /// The position of the last event, also while no event is kept.
    end: Position,
    events: VecDeque<Arc<LogEvent>>,
    /// The last kept event of each stream.
    newest: HashMap<StreamId, Sequence>,
    /// The highest end of the log that any read has ever seen.
    highest_seen: Position,
    /// Positions up to here may refer to events that a crash of the database has rolled back, so they prove nothing about
    /// what is known of a stream.
    untrusted_up_to: Position,
    /// How many rollbacks were noticed.
    rollbacks: u64,
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
        self.highest_seen = self.highest_seen.max(end);
        self.untrusted_up_to = self.highest_seen;
    }

    fn push(&mut self, event: Arc<LogEvent>) {
        let header = &event.header;
        self.end = header.position;
        self.highest_seen = self.highest_seen.max(self.end);
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

impl RecentEvents {
    /// Keeps the events after `end`.
    pub(crate) fn new(capacity: usize, end: Position) -> Self {
        let events = VecDeque::with_capacity(capacity);
        Self {
            capacity,
            state: RwLock::new(State {
                end,
                events,
                newest: HashMap::new(),
                highest_seen: end,
                untrusted_up_to: 0,
                rollbacks: 0,
            }),
        }
    }

    /// The position of the last pushed event.
    pub(crate) fn end(&self) -> Position {
        self.read().end
    }

    /// The highest number of kept events.
    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Notes an end of the log that was read.
    pub(crate) fn note_end(&self, end: Position) {
        let mut state = self.write();
        state.highest_seen = state.highest_seen.max(end);
    }

    /// How many rollbacks were noticed.
    pub(crate) fn rollbacks(&self) -> u64 {
        self.read().rollbacks
    }

    /// Forgets everything and continues after `end`. Everything known until now may belong to another history.
    pub(crate) fn restart(&self, end: Position) {
        self.write().restart(end);
    }

    /// Restarts because a crash of the database has rolled back events.
    pub(crate) fn roll_back(&self, end: Position) {
        tracing::warn!(position = end, "the database has rolled back events that were not yet on its disk");
        let mut state = self.write();
        state.restart(end);
        state.rollbacks += 1;
    }

    /// Adds events without a gap between them. Known events are skipped. A gap before the new events drops the older
    /// ones.
    pub(crate) fn push(&self, events: Vec<Arc<LogEvent>>) {
        let mut state = self.write();
        for event in events {
            let position = event.header.position;
            if position <= state.end {
                continue;
            }
            if position != state.end + 1 || erases_texts(&event) {
                state.clear();
            }
            if state.events.len() == self.capacity {
                state.drop_first();
            }
            state.push(event);
        }
    }

    /// Whether a stream has events that the caller does not know. `None` unless all events between the caller's knowledge
    /// and `end` are kept here.
    pub(crate) fn has_grown(&self, seen: &SeenStream, end: Position) -> Option<bool> {
        let state = self.read();
        let as_of = seen.freshness.as_of();
        let is_held = state.before_first() <= as_of && as_of > state.untrusted_up_to && end <= state.end;
        is_held.then(|| state.newest.get(&seen.stream).is_some_and(|newest| *newest > seen.freshness.version()))
    }

    /// At most `limit` events after `after`; `None` unless the first of them is kept here.
    pub(crate) fn after(&self, after: Position, limit: usize) -> Option<Vec<Arc<LogEvent>>> {
        let state = self.read();
        if after >= state.end {
            return None;
        }
        let skip = usize::try_from(after - state.before_first()).ok()?;
        Some(state.events.iter().skip(skip).take(limit).cloned().collect())
    }

    /// Whether the event at the end is kept.
    pub(crate) fn holds_its_end(&self) -> bool {
        !self.read().events.is_empty()
    }

    /// Whether another event than the one with this hash is kept at a position.
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

/// Whether this event changes earlier ones in the database, so that readers have to go there.
fn erases_texts(event: &LogEvent) -> bool {
    matches!(&event.event, AnyEvent::Visitor(VisitorEvent::PersonalDataErased { payloads, .. }) if !payloads.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_log::testing::log_event;
    use application::ports::Freshness;
    use domain::time::Timestamp;
    use domain::visitor::ErasedPayload;

    fn recent(capacity: usize, end: Position, positions: impl Iterator<Item = Position>) -> RecentEvents {
        let recent = RecentEvents::new(capacity, end);
        recent.push(positions.map(log_event).collect());
        recent
    }

    fn positions(recent: &RecentEvents, after: Position, limit: usize) -> Option<Vec<Position>> {
        Some(recent.after(after, limit)?.iter().map(|event| event.header.position).collect())
    }

    #[test]
    fn only_kept_events_are_returned() {
        let recent = recent(3, 10, 11..=15);
        assert_eq!(positions(&recent, 11, 10), None, "12 has been pushed out");
        assert_eq!(positions(&recent, 12, 10), Some(vec![13, 14, 15]));
        assert_eq!(positions(&recent, 13, 1), Some(vec![14]));
        assert_eq!(positions(&recent, 15, 10), None, "there may be more in the database");
    }

    #[test]
    fn without_events_nothing_is_known() {
        let recent = recent(3, 10, 0..0);
        assert_eq!(positions(&recent, 9, 10), None);
        assert_eq!(positions(&recent, 10, 10), None);
        assert_eq!(recent.end(), 10);
    }

    #[test]
    fn gap_drops_older_events_and_repeated_ones_are_skipped() {
        let recent = recent(5, 0, 1..=3);
        recent.push((2..=4).map(log_event).collect());
        assert_eq!(positions(&recent, 0, 10), Some(vec![1, 2, 3, 4]));
        recent.push((8..=9).map(log_event).collect());
        assert_eq!(positions(&recent, 3, 10), None);
        assert_eq!(positions(&recent, 7, 10), Some(vec![8, 9]));
        assert_eq!(positions(&recent, 6, 10), None);
    }

    #[test]
    fn growth_is_known_only_where_all_later_events_are_kept() {
        let recent = recent(3, 10, 11..=15);
        let stream = log_event(1).header.stream();
        let seen = |version, as_of| SeenStream { stream, freshness: Freshness::new(0, as_of).at_version(version) };
        assert_eq!(recent.has_grown(&seen(14, 14), 15), Some(true));
        assert_eq!(recent.has_grown(&seen(15, 12), 15), Some(false), "the state is newer than its position");
        assert_eq!(recent.has_grown(&seen(15, 11), 15), None, "12 has been pushed out");
        assert_eq!(recent.has_grown(&seen(15, 15), 16), None, "16 is not here yet");
        let other = StreamId { id: uuid::Uuid::max(), ..stream };
        assert_eq!(recent.has_grown(&SeenStream { stream: other, ..seen(7, 12) }, 15), Some(false));
        // A crash rolls back events after 20 was seen. Others may be there now, so nothing up to 20 counts.
        recent.note_end(20);
        recent.roll_back(13);
        assert_eq!(recent.rollbacks(), 1);
        assert_eq!(recent.has_grown(&seen(13, 13), 13), None);
        recent.push((14..=22).map(log_event).collect());
        assert_eq!(recent.has_grown(&seen(20, 20), 22), None);
        assert_eq!(recent.has_grown(&seen(21, 21), 22), Some(true));
        assert_eq!(recent.has_grown(&seen(22, 21), 22), Some(false));
    }

    #[test]
    fn erasure_drops_the_events_before_it() {
        let erasure = |position, payloads| {
            let at = Timestamp::from_micros(0);
            let event = VisitorEvent::PersonalDataErased { payloads, conversation_ids: vec![], at };
            Arc::new(LogEvent { event: AnyEvent::Visitor(event), ..(*log_event(position)).clone() })
        };
        let recent = recent(5, 0, 1..=2);
        recent.push(vec![erasure(3, vec![])]);
        assert_eq!(positions(&recent, 0, 10), Some(vec![1, 2, 3]));
        recent.push(vec![erasure(4, vec![ErasedPayload { position: 2, digest: String::new() }])]);
        assert_eq!(positions(&recent, 2, 10), None);
        assert_eq!(positions(&recent, 3, 10), Some(vec![4]));
    }
}
