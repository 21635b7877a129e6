//! Whether Redis is to be asked.

use std::sync::{Mutex, PoisonError};

use super::window::Millis;

/// After trouble, how long Redis is left alone before one caller tries again.
pub(super) const PAUSE: Millis = 1_000;

/// How Redis was when it was last asked.
#[derive(Debug, Default)]
pub(super) struct Link {
    // None: it works, as far as is known.
    retry_at: Mutex<Option<Millis>>,
}

impl Link {
    /// Whether to ask; after trouble one caller a second is told to.
    pub(super) fn is_to_be_asked(&self, now: Millis) -> bool {
        let mut retry_at = self.retry_at.lock().unwrap_or_else(PoisonError::into_inner);
        match *retry_at {
            None => true,
            // The second comparison is for a clock that was set back.
            Some(at) if now < at && at <= now + PAUSE => false,
            Some(_) => {
                *retry_at = Some(now + PAUSE);
                true
            }
        }
    }

    /// Notes how it went; answers whether that is a change.
    pub(super) fn note(&self, works: bool, now: Millis) -> bool {
        let mut retry_at = self.retry_at.lock().unwrap_or_else(PoisonError::into_inner);
        let worked = retry_at.is_none();
        *retry_at = (!works).then_some(now + PAUSE);
        worked != works
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outage_is_one_change_each_way_however_many_notice() {
        let link = Link::default();
        let noted = [true, true, false, false, false, true, true];
        let changes: Vec<_> = noted.into_iter().filter(|works| link.note(*works, 0)).collect();
        assert_eq!(changes, [false, true]);
    }

    #[test]
    fn one_caller_a_second_tries_during_an_outage() {
        let link = Link::default();
        assert!(link.is_to_be_asked(0) && link.is_to_be_asked(0));
        link.note(false, 0);
        let asked: Vec<Millis> = (0..3_000).filter(|now| link.is_to_be_asked(*now)).collect();
        assert_eq!(asked, [1_000, 2_000]);
        assert!(link.is_to_be_asked(-7_200_000), "the clock was set back");
    }
}
