//! What is known of the connections to Redis.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::ports::Clock;
use domain::time::Timestamp;

/// How long callers leave Redis alone after a failure, before one of them tries again.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The state of several connections together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkStatus {
    /// Not every connection has been tried yet.
    Untried,
    /// All connections work.
    Up,
    /// At least one connection fails.
    Down,
}

/// A change of the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) from: LinkStatus,
    pub(super) to: LinkStatus,
}

/// The state of `N` connections to one Redis. An outage breaks all of them, and still is one change.
#[derive(Debug)]
pub(super) struct Link<const N: usize>(Mutex<State<N>>);

#[derive(Debug)]
struct State<const N: usize> {
    // None: not tried yet.
    works: [Option<bool>; N],
    retry_at: Timestamp,
}

impl<const N: usize> State<N> {
    fn status(&self) -> LinkStatus {
        if self.works.contains(&Some(false)) {
            LinkStatus::Down
        } else if self.works.contains(&None) {
            LinkStatus::Untried
        } else {
            LinkStatus::Up
        }
    }
}

impl<const N: usize> Link<N> {
    /// Of connections that have not been tried yet.
    pub(super) const fn new() -> Self {
        Self(Mutex::new(State { works: [None; N], retry_at: Timestamp::from_micros(0) }))
    }

    pub(super) fn status(&self) -> LinkStatus {
        self.state().status()
    }

    /// Records the outcome of a command on one of the connections. Returns the change of the status, if there was one.
    pub(super) fn note(&self, connection: usize, works: bool, clock: &dyn Clock) -> Option<Change> {
        let mut state = self.state();
        let from = state.status();
        state.works[connection] = Some(works);
        if !works {
            state.retry_at = clock.now().plus(RETRY_AFTER);
        }
        let to = state.status();
        (from != to).then_some(Change { from, to })
    }

    /// Whether to use Redis now. During an outage one caller a second gets a yes.
    pub(super) fn may_try(&self, clock: &dyn Clock) -> bool {
        let mut state = self.state();
        if state.status() != LinkStatus::Down {
            return true;
        }
        let now = clock.now();
        let next = now.plus(RETRY_AFTER);
        // A clock that was set back must not make callers wait for hours.
        let is_early = now < state.retry_at && state.retry_at <= next;
        if !is_early {
            state.retry_at = next;
        }
        !is_early
    }

    fn state(&self) -> MutexGuard<'_, State<N>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use async_trait::async_trait;

    use super::*;

    const DOWN: Change = Change { from: LinkStatus::Up, to: LinkStatus::Down };
    const UP: Change = Change { from: LinkStatus::Down, to: LinkStatus::Up };

    /// Stands where a test puts it, in milliseconds.
    #[derive(Default)]
    struct Standing(AtomicI64);

    #[async_trait]
    impl Clock for Standing {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.load(Ordering::SeqCst) * 1_000)
        }

        async fn sleep(&self, _: Duration) {}
    }

    #[test]
    fn outage_of_both_connections_is_one_change_each_way() {
        let (link, clock) = (Link::<2>::new(), Standing::default());
        assert_eq!(link.status(), LinkStatus::Untried);
        let noted =
            [(1, true), (0, true), (0, true), (1, false), (0, false), (0, false), (0, true), (1, false), (1, true)];
        let changes: Vec<_> =
            noted.into_iter().filter_map(|(connection, works)| link.note(connection, works, &clock)).collect();
        assert_eq!(changes, [Change { from: LinkStatus::Untried, to: LinkStatus::Up }, DOWN, UP]);
    }

    #[test]
    fn one_caller_a_second_tries_during_an_outage() {
        let (link, clock) = (Link::<1>::new(), Standing::default());
        assert!(link.may_try(&clock) && link.may_try(&clock));
        link.note(0, false, &clock);
        let mut tries = |millis: &i64| {
            clock.0.store(*millis, Ordering::SeqCst);
            link.may_try(&clock)
        };
        assert_eq!((0..3_000).filter(&mut tries).collect::<Vec<_>>(), [1_000, 2_000]);
        assert!(tries(&-7_200_000), "the clock was set back");
    }
}
