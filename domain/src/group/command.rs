use std::collections::BTreeSet;

use crate::assignment::RoutingStrategy;
use crate::ids::AgentId;
use crate::text::{Name, Note};
use crate::time::Timestamp;

/// Orders to a group.
#[derive(Clone, Debug)]
pub enum GroupCommand {
    Create {
        name: Name,
        description: Option<Note>,
        strategy: RoutingStrategy,
        at: Timestamp,
    },
    /// Replaces name and description.
    Describe {
        name: Name,
        description: Option<Note>,
        at: Timestamp,
    },
    ChangeStrategy {
        strategy: RoutingStrategy,
        at: Timestamp,
    },
    /// Adds agents; present members stay.
    AddAgents {
        agent_ids: BTreeSet<AgentId>,
        at: Timestamp,
    },
    RemoveAgent {
        agent_id: AgentId,
        at: Timestamp,
    },
    Delete {
        at: Timestamp,
    },
    Restore {
        at: Timestamp,
    },
}
