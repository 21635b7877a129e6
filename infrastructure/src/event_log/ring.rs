//! The newest events, decoded once for everybody who follows the log.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use application::ports::{Hash, LogEvent, Position};
use domain::event::AnyEvent;
use domain::visitor::VisitorEvent;

/// A contiguous run of the newest events, up to a fixed number.
pub(super) struct Ring {
    capacity: usize,
    state: RwLock<State>,
}

struct State {
    /// The position of the last event; also known while there are no events.
    end: Position,
    events: VecDeque<Arc<LogEvent>>,
}

impl State {
    fn before_first(&self) -> Position {
        self.end - Position::try_from(self.events.len()).unwrap_or(Position::MAX)
    }
}

impl Ring {
    /// A ring that takes up the events after `end`.
    pub(super) fn new(capacity: usize, end: Position) -> Self {
        Self { capacity, state: RwLock::new(State { end, events: VecDeque::with_capacity(capacity) }) }
    }

    /// The position up to which events have been pushed.
    pub(super) fn end(&self) -> Position {
        self.read().end
    }

    /// How many events fit.
    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets everything and goes on after `end`.
    pub(super) fn restart(&self, end: Position) {
        let mut state = self.write();
        state.events.clear();
        state.end = end;
    }

    /// Takes events that are contiguous among themselves. Those that it has are skipped; a gap before them makes it
    /// forget the older ones.
    pub(super) fn push(&self, events: Vec<Arc<LogEvent>>) {
        let mut state = self.write();
        for event in events {
            let position = event.header.position;
            if position <= state.end {
                continue;
            }
            if position != state.end + 1 || takes_texts_away(&event) {
                state.events.clear();
            }
            if state.events.len() == self.capacity {
                state.events.pop_front();
            }
            state.events.push_back(event);
            state.end = position;
        }
    }

    /// At most `limit` events after `after`, if the ring holds the first of them.
    pub(super) fn after(&self, after: Position, limit: usize) -> Option<Vec<Arc<LogEvent>>> {
        let state = self.read();
        if after >= state.end {
            return None;
        }
        let skip = usize::try_from(after - state.before_first()).ok()?;
        Some(state.events.iter().skip(skip).take(limit).cloned().collect())
    }

    /// Whether it holds the event at its end.
    pub(super) fn holds_its_end(&self) -> bool {
        !self.read().events.is_empty()
    }

    /// Whether it holds another event at a position than the one with this hash.
    pub(super) fn contradicts(&self, position: Position, chain_hash: &Hash) -> bool {
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
