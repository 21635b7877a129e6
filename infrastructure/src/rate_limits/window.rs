//! A span of time in which times are counted; it begins with the first of them.

use std::time::Duration;

use application::ports::{Rate, RateLimit};
use domain::time::Timestamp;

/// Milliseconds since the Unix epoch.
pub(crate) type Millis = i64;

/// What is to be done with a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Take,
    GiveBack,
}

/// How often so far, and until when that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) ends: Millis,
    pub(crate) count: u32,
}

impl Window {
    pub(crate) fn new(rate: Rate, now: Millis) -> Self {
        Self { ends: now.saturating_add(length(rate)), count: 0 }
    }

    /// Does the step in this window, or in a new one if this has ended, and returns whether there was room before.
    pub(crate) fn step(&mut self, step: Step, rate: Rate, now: Millis) -> bool {
        let new = Self::new(rate, now);
        if self.ends <= now {
            *self = new;
        }
        // Of a clock that is set back; nobody waits longer than a window.
        self.ends = self.ends.min(new.ends);
        let has_room = self.count < rate.times;
        match step {
            Step::Take => self.count += u32::from(has_room),
            Step::GiveBack => self.count = self.count.saturating_sub(1),
        }
        has_room
    }

    pub(crate) fn standing(self, allowed: bool, rate: Rate, now: Millis) -> RateLimit {
        let left = self.ends.saturating_sub(now).max(1);
        RateLimit {
            allowed,
            limit: rate.times,
            remaining: rate.times.saturating_sub(self.count),
            // Rounded up: a caller that comes back after that many seconds is in the next window.
            reset_seconds: u32::try_from((left - 1) / 1_000 + 1).unwrap_or(u32::MAX),
        }
    }
}

pub(crate) fn length(rate: Rate) -> Millis {
    whole_millis(rate.window)
}

pub(crate) fn whole_millis(duration: Duration) -> Millis {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) const fn millis(at: Timestamp) -> Millis {
    at.as_micros().div_euclid(1_000)
}
