//! Limits what a client may send.

use std::time::{Duration, Instant};

/// The most frames of a client in a minute.
pub(super) const FRAMES_PER_MINUTE: u32 = 120;

const WINDOW: Duration = Duration::from_secs(60);

/// Counts the frames of one client.
pub(super) struct Inbound {
    since: Instant,
    frames: u32,
}

impl Inbound {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, frames: 0 }
    }

    /// Counts a frame; `false` if it is one too many.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        if now.duration_since(self.since) >= WINDOW {
            *self = Self::new(now);
        }
        self.frames += 1;
        self.frames <= FRAMES_PER_MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_window_begins_with_a_new_count() {
        let start = Instant::now();
        let mut inbound = Inbound::new(start);
        assert!((0..FRAMES_PER_MINUTE).all(|_| inbound.admit(start)));
        assert!(!inbound.admit(start + Duration::from_secs(59)));
        assert!(inbound.admit(start + Duration::from_secs(60)));
    }
}
