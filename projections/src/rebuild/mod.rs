//! Proves that the views are what the log says, and makes them so: fills tables anew beside the live ones.

mod carry;
mod differ;
mod dump;
mod fill;
mod first;
#[cfg(test)]
mod live_tests;
mod pass;
mod replay;
#[cfg(test)]
mod replay_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use infrastructure::subscription::Projector;

pub use differ::RowDifference;
pub use dump::{Difference, Dump, compare, dump};
pub use fill::{RebuildError, rebuild_into};
pub use replay::{RebuildObserver, Rebuilt, Replay, rebuild_outdated};

use crate::agent_stats::{AgentStatsProjector, ChatRow, DayRow};
use crate::agents::{AgentRow, AgentsProjector, GroupRow, MEMBERS_TABLE};
use crate::conversations::{self, ConversationRow, ConversationsProjector};
use crate::routing::{QUEUE_TABLE, STATE_TABLE};
use crate::rows::ViewRow;
use crate::search::{self, SearchProjector};
use crate::tags::{TagRow, TagsProjector};
use crate::thread_events::{EVENTS_TABLE, THREADS_TABLE, ThreadEventsProjector};

/// A table that is filled from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewTable {
    /// Its name.
    pub name: &'static str,
    /// The columns that follow from the log.
    pub columns: &'static [&'static str],
}

/// All tables that are filled from the log.
#[must_use]
pub const fn all_view_tables() -> [ViewTable; 16] {
    [
        ConversationRow::TABLE,
        conversations::TAGS_TABLE,
        conversations::COUNTS_TABLE,
        conversations::CLOCK_TABLE,
        search::CHATS_TABLE,
        search::WORDS_TABLE,
        THREADS_TABLE,
        EVENTS_TABLE,
        AgentRow::TABLE,
        GroupRow::TABLE,
        MEMBERS_TABLE,
        TagRow::TABLE,
        ChatRow::TABLE,
        DayRow::TABLE,
        QUEUE_TABLE,
        STATE_TABLE,
    ]
}

/// The projectors of the views that are read by queries; the router's is built with its router.
#[must_use]
pub fn view_projectors() -> Vec<Arc<dyn Projector>> {
    vec![
        Arc::new(ConversationsProjector),
        Arc::new(ThreadEventsProjector),
        Arc::new(AgentsProjector),
        Arc::new(TagsProjector),
        Arc::new(SearchProjector),
        Arc::new(AgentStatsProjector),
    ]
}
