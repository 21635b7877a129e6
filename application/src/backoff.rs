//! Pauses between attempts that grow with each failure.

use std::time::Duration;

use crate::ports::{Clock, Ids};

/// How long to wait before another attempt: the pause doubles with each failure, and a random part of it falls away, so
/// that callers that failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// The longest pause after the first failure.
    pub first: Duration,
    /// The longest pause of all.
    pub longest: Duration,
    /// The part of each pause that is random, from 0.0 (none of it) to 1.0 (all of it).
    pub jitter: f64,
}

impl Backoff {
    /// The pause after this many failures, with a random number in `0.0..1.0`.
    #[must_use]
    pub fn pause(&self, failures: u32, fraction: f64) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
        let share = 1.0 - self.jitter + self.jitter * fraction.clamp(0.0, 1.0);
        doubled.min(self.longest).mul_f64(share)
    }

    /// Waits as long as [`Self::pause`] says.
    pub async fn wait(&self, failures: u32, clock: &dyn Clock, ids: &dyn Ids) {
        clock.sleep(self.pause(failures, ids.fraction())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff =
        Backoff { first: Duration::from_millis(50), longest: Duration::from_secs(30), jitter: 0.5 };

    #[test]
    fn pauses_double_up_to_the_longest() {
        assert_eq!(BACKOFF.pause(0, 1.0), Duration::from_millis(50));
        assert_eq!(BACKOFF.pause(1, 1.0), Duration::from_millis(50));
        assert_eq!(BACKOFF.pause(2, 1.0), Duration::from_millis(100));
        assert_eq!(BACKOFF.pause(5, 1.0), Duration::from_millis(800));
        assert_eq!(BACKOFF.pause(40, 1.0), BACKOFF.longest);
        assert_eq!(BACKOFF.pause(u32::MAX, 1.0), BACKOFF.longest);
    }

    #[test]
    fn jitter_takes_no_more_than_its_part() {
        assert_eq!(BACKOFF.pause(1, 0.0), Duration::from_millis(25));
        assert_eq!(BACKOFF.pause(40, 0.0), BACKOFF.longest / 2);
        let fixed = Backoff { jitter: 0.0, ..BACKOFF };
        assert_eq!(fixed.pause(1, 0.0), fixed.first);
        let any = Backoff { jitter: 1.0, ..BACKOFF };
        assert_eq!(any.pause(1, 0.0), Duration::ZERO);
    }
}
