//! Whether signals get through.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Whether signals between nodes get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeUpStatus {
    /// There is no other node to tell.
    Alone,
    /// Not known yet: the first connection is being made.
    Connecting,
    /// They get through.
    Connected,
    /// They do not; nodes find new events by polling.
    Disconnected,
}

impl fmt::Display for WakeUpStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alone => "alone",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
        })
    }
}

/// One of the two connections.
#[derive(Clone, Copy, Debug)]
pub(super) enum Link {
    Publisher,
    Subscriber,
}

/// What is known of both connections. Both fail in one outage, which is one change.
#[derive(Debug, Default)]
pub(super) struct LinkState {
    // None: not tried yet.
    links: Mutex<[Option<bool>; 2]>,
}

impl LinkState {
    pub(super) fn status(&self) -> WakeUpStatus {
        status_of(*self.links.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes how a link is, and answers the new status when that changed it.
    pub(super) fn note(&self, link: Link, works: bool) -> Option<WakeUpStatus> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let before = status_of(*links);
        links[link as usize] = Some(works);
        let after = status_of(*links);
        (after != before).then_some(after)
    }
}

const fn status_of(links: [Option<bool>; 2]) -> WakeUpStatus {
    match links {
        [Some(false), _] | [_, Some(false)] => WakeUpStatus::Disconnected,
        [Some(true), Some(true)] => WakeUpStatus::Connected,
        [None, _] | [_, None] => WakeUpStatus::Connecting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outage_of_both_links_is_one_change_each_way() {
        let state = LinkState::default();
        assert_eq!(state.status(), WakeUpStatus::Connecting);
        let noted = [
            (Link::Subscriber, true),
            (Link::Publisher, true),
            (Link::Publisher, true),
            (Link::Subscriber, false),
            (Link::Publisher, false),
            (Link::Publisher, false),
            (Link::Publisher, true),
            (Link::Subscriber, false),
            (Link::Subscriber, true),
        ];
        let changes: Vec<_> = noted.into_iter().filter_map(|(link, works)| state.note(link, works)).collect();
        assert_eq!(changes, [WakeUpStatus::Connected, WakeUpStatus::Disconnected, WakeUpStatus::Connected]);
    }
}
