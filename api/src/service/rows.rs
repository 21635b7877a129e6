//! What readers return and accept: the rows, filters and pages of the read models. Doors know them from here, so that none
//! reaches the read models itself.

pub use projections::{Page, PageRequest};

pub mod agent_stats {
    pub use projections::agent_stats::{AgentFigures, Percentiles, Recent};
}

pub mod agents {
    pub use projections::agents::{AgentFilter, AgentView, GroupView};
}

pub mod conversations {
    pub use projections::conversations::{ConversationCounts, ConversationFilter, ConversationOrder};
}

pub mod routing {
    pub use projections::routing::{QueueStats, QueuedChat};
}

pub mod search {
    pub use projections::search::SearchText;
}

pub mod tags {
    pub use projections::tags::TagView;
}

pub mod thread_events {
    pub use projections::thread_events::{AuthorType, SystemType, ThreadEventKind};
}
