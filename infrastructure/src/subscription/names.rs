//! The names of the subscribers: of their checkpoints, leases and metrics, and on the command line. They stand here and
//! nowhere else, because the commands that mend a subscriber are named at this level, too.

use super::SubscriberId;

/// The view of conversations.
pub const CONVERSATIONS: &str = "conversations";

/// The view of messages and system events.
pub const THREAD_EVENTS: &str = "thread_events";

/// The view of agents and groups.
pub const AGENTS: &str = "agents";

/// The view of tags.
pub const TAGS: &str = "tags";

/// The view of the words in conversations.
pub const SEARCH: &str = "search";

/// The view of the agents' figures.
pub const AGENT_STATS: &str = "agent_stats";

/// The router, which keeps its queue as its state. It is a process manager and no view.
pub const ROUTER: SubscriberId = ("routing", 1);

/// The process managers, and what the command line calls each. A rebuild of views leaves them alone: they act.
pub const MANAGERS: [(SubscriberId, &str); 1] = [(ROUTER, "router")];

/// The process manager of this name; none for a view.
#[must_use]
pub fn find_manager(subscriber: &str) -> Option<SubscriberId> {
    MANAGERS.iter().map(|(id, _)| *id).find(|(name, _)| *name == subscriber)
}

/// The command that fills the tables of this subscriber from the log.
#[must_use]
pub fn mending_command(subscriber: &str) -> String {
    match MANAGERS.iter().find(|((name, _), _)| *name == subscriber) {
        Some((_, word)) => format!("livechatlog replay --subscriber {word}"),
        None => "livechatlog replay".to_owned(),
    }
}
