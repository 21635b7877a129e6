//! The newest changes, rendered once for all readers of this node.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use application::ports::Position;

use super::change::{Change, Given};
use super::end::End;
use super::reader::Reader;

/// The most changes that are kept.
const MOST_CHANGES: usize = 8_192;

/// The most bytes of rendered changes that are kept.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The most bytes that a reader takes at once.
const BATCH_BYTES: usize = 64 * 1024;

/// A contiguous run of the log, as far as it means anything to readers.
#[derive(Default)]
pub(super) struct Recent {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    /// Everything after this position is kept.
    after: Position,
    /// Everything up to this position is kept.
    end: Position,
    changes: VecDeque<Arc<Change>>,
    bytes: usize,
}

/// What a reader takes at once.
#[derive(Default)]
pub(super) struct Batch {
    /// Positions and bodies, in order.
    pub(super) bodies: Vec<(Position, super::change::Body)>,
    /// The position that the reader has after the batch.
    pub(super) end: Position,
    /// Whether there is more at once.
    pub(super) more: bool,
    /// The stream ends after the bodies.
    pub(super) verdict: Option<End>,
}

impl Batch {
    /// What a reader gets of these changes. `end` is how far they reach.
    pub(super) fn of<'a>(changes: impl Iterator<Item = &'a Change>, reader: &Reader, end: Position) -> Self {
        let (mut batch, mut bytes) = (Self { end, ..Self::default() }, 0);
        for change in changes {
            match change.given_to(reader) {
                None => {}
                Some(Given::End(verdict)) => {
                    return Self { end: change.position, verdict: Some(verdict), ..batch };
                }
                Some(Given::Frame(body)) => {
                    bytes += body.len();
                    batch.bodies.push((change.position, Arc::clone(body)));
                    if bytes >= BATCH_BYTES {
                        return Self { end: change.position, more: change.position < end, ..batch };
                    }
                }
            }
        }
        batch
    }
}

impl Recent {
    /// Forgets everything, and continues after `position`.
    pub(super) fn restart(&self, position: Position) {
        *self.write() = State { after: position, end: position, ..State::default() };
    }

    /// Adds the changes of the events up to `end`.
    pub(super) fn push(&self, changes: &[Arc<Change>], end: Position) {
        let mut state = self.write();
        for change in changes {
            state.bytes += change.scope.bytes();
            state.changes.push_back(Arc::clone(change));
        }
        state.end = end;
        while state.changes.len() > MOST_CHANGES || state.bytes > MOST_BYTES {
            let Some(first) = state.changes.pop_front() else { break };
            state.bytes -= first.scope.bytes();
            state.after = first.position;
        }
    }

    /// What a reader gets after a position; `None` if not all of it is kept here.
    pub(super) fn after(&self, position: Position, reader: &Reader) -> Option<Batch> {
        let state = self.read();
        if position < state.after || position > state.end {
            return None;
        }
        let first = state.changes.partition_point(|change| change.position <= position);
        Some(Batch::of(state.changes.range(first..).map(AsRef::as_ref), reader, state.end))
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use application::ports::Principal;
    use domain::agent::Role;
    use domain::ids::AgentId;

    use super::super::change::{Ends, Scope};
    use super::*;

    fn anna() -> Reader {
        Reader { principal: Principal::Agent { id: AgentId::default(), role: Role::Agent }, groups: [].into() }
    }

    fn change(position: Position, bytes: usize) -> Arc<Change> {
        let scope = Scope::Staff { agents: "x".repeat(bytes).into(), visitors: vec![] };
        Arc::new(Change { position, scope, ends: None })
    }

    fn positions(batch: &Batch) -> Vec<Position> {
        batch.bodies.iter().map(|(position, _)| *position).collect()
    }

    #[test]
    fn only_a_run_without_a_gap_is_given() {
        let recent = Recent::default();
        recent.restart(10);
        recent.push(&[change(12, 1), change(14, 1)], 15);
        assert!(recent.after(9, &anna()).is_none(), "11 may have been something");
        assert!(recent.after(16, &anna()).is_none());
        let batch = recent.after(12, &anna()).unwrap();
        assert_eq!((positions(&batch), batch.end, batch.more), (vec![14], 15, false));
        let batch = recent.after(15, &anna()).unwrap();
        assert_eq!((positions(&batch), batch.end), (vec![], 15));
    }

    #[test]
    fn batch_ends_with_the_frame_that_fills_it() {
        let recent = Recent::default();
        recent.push(&[change(1, BATCH_BYTES - 1), change(2, 1), change(3, 1)], 4);
        let batch = recent.after(0, &anna()).unwrap();
        assert_eq!((positions(&batch), batch.end, batch.more), (vec![1, 2], 2, true));
        let batch = recent.after(2, &anna()).unwrap();
        assert_eq!((positions(&batch), batch.end, batch.more), (vec![3], 4, false));
    }

    #[test]
    fn oldest_changes_make_room_for_the_newest() {
        let recent = Recent::default();
        recent.push(&[change(3, MOST_BYTES / 2), change(5, MOST_BYTES / 2)], 5);
        assert!(recent.after(0, &anna()).is_some());
        recent.push(&[change(6, 1)], 6);
        assert!(recent.after(2, &anna()).is_none());
        assert_eq!(positions(&recent.after(3, &anna()).unwrap()), [5]);
    }

    #[test]
    fn nothing_follows_the_change_that_ends_the_stream() {
        let recent = Recent::default();
        let ends = Some(Ends::Role(AgentId::default()));
        let role = Arc::new(Change { position: 2, scope: Scope::Nobody, ends });
        recent.push(&[change(1, 1), role, change(3, 1)], 3);
        let batch = recent.after(0, &anna()).unwrap();
        assert_eq!((positions(&batch), batch.end, batch.verdict), (vec![1], 2, Some(End::RightsChanged)));
    }
}
