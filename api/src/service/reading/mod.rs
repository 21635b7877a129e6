//! Reading: what a conversation, its messages and its history look like to a caller, with names, and who may read them.

mod assignments;
mod conversations;
mod error;
mod labels;
mod messages;
mod page;

use std::sync::Arc;

use application::command_bus::CommandBus;
use application::ports::EventLog;
use infrastructure::database::Database;
use projections::agents::AgentQueries;
use projections::conversations::ConversationQueries;
use projections::thread_events::ThreadEventQueries;

pub use assignments::AssignmentView;
pub use conversations::Standing;
pub use error::ReadingError;
pub use labels::{NamedConversation, NamedEvent, ShownThread};
pub use page::{DEFAULT_LIMIT, MAX_LIMIT, deleted};

/// Reads conversations for callers.
///
/// Lists and single conversations come from views. Rights and names come from the log, so that an agent who has just left
/// a group sees none of its chats, also where the views are behind, and a new name is shown at once.
#[derive(Clone)]
pub struct Reading {
    bus: CommandBus,
    log: Arc<dyn EventLog>,
    conversations: ConversationQueries,
    threads: ThreadEventQueries,
    agents: AgentQueries,
}

impl Reading {
    /// Reads the views in this database, and this log.
    #[must_use]
    pub fn new(bus: CommandBus, log: Arc<dyn EventLog>, database: &Database) -> Self {
        Self {
            bus,
            log,
            conversations: ConversationQueries::new(database.clone()),
            threads: ThreadEventQueries::new(database.clone()),
            agents: AgentQueries::new(database.clone()),
        }
    }
}
