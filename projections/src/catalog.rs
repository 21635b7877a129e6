//! Everything that follows the log, in one list: what a node runs, what `replay` rebuilds, what `check` expects.

use std::sync::Arc;

use application::process_managers::router::RouterMemory;
use infrastructure::subscription::{Subscriber, SubscriberId, View};

use crate::agent_stats::{AgentStatsProjector, ChatRow, DayRow};
use crate::agents::{AgentRow, AgentsProjector, GroupRow, MEMBERS_TABLE};
use crate::conversations::{self, ConversationRow, ConversationsProjector};
use crate::routing::{self, QUEUE_TABLE, RouterSubscriber, STATE_TABLE};
use crate::rows::ViewRow;
use crate::search::{self, SearchProjector};
use crate::table::ViewTable;
use crate::tags::{TagRow, TagsProjector};
use crate::thread_events::{EVENTS_TABLE, THREADS_TABLE, ThreadEventsProjector};

/// The views: what queries read, and `replay` may rebuild.
#[must_use]
pub fn all_views() -> Vec<Arc<dyn View>> {
    vec![
        Arc::new(ConversationsProjector),
        Arc::new(ThreadEventsProjector),
        Arc::new(AgentsProjector),
        Arc::new(TagsProjector),
        Arc::new(SearchProjector),
        Arc::new(AgentStatsProjector),
    ]
}

/// A process manager: what follows the log for it, and the tables of its state.
pub struct Manager {
    /// Keeps its state up with the log.
    pub subscriber: Arc<dyn Subscriber>,
    /// The tables that hold its state.
    pub tables: &'static [&'static str],
}

/// The process managers: what acts on a node, and what `replay --subscriber` folds again. Their names stand in
/// [`MANAGERS`](infrastructure::subscription::MANAGERS). `router`: the memory of the router that acts on this node.
#[must_use]
pub fn all_managers(router: Arc<RouterMemory>) -> Vec<Manager> {
    vec![Manager { subscriber: Arc::new(RouterSubscriber::new(router)), tables: &routing::TABLES }]
}

/// The views and the process managers: all that a node runs.
#[must_use]
pub fn all_subscribers(router: Arc<RouterMemory>) -> Vec<Arc<dyn Subscriber>> {
    let views = all_views().into_iter().map(|view| view as Arc<dyn Subscriber>);
    views.chain(all_managers(router).into_iter().map(|manager| manager.subscriber)).collect()
}

/// Name and version of each.
#[must_use]
pub fn all_subscriber_ids() -> Vec<SubscriberId> {
    let idle = all_subscribers(Arc::default());
    idle.iter().map(|subscriber| (subscriber.name(), subscriber.version())).collect()
}

/// All tables that follow from the log: those of the views, and the router's.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use infrastructure::subscription::MANAGERS;

    use super::*;

    #[test]
    fn process_managers_are_those_that_the_command_line_names() {
        let listed = all_managers(Arc::default());
        let listed: BTreeSet<_> =
            listed.iter().map(|manager| (manager.subscriber.name(), manager.subscriber.version())).collect();
        assert_eq!(listed, MANAGERS.iter().map(|(id, _)| *id).collect());
    }
}
