use std::collections::BTreeSet;

use crate::assignment::RoutingStrategy;
use crate::ids::AgentId;
use crate::text::{Name, Note};
use crate::time::Timestamp;

/// What a group can be told to do.
#[derive(Clone, Debug)]
pub enum GroupCommand {
    /// Begin.
    Create {
        /// Its name.
        name: Name,
        /// What it is for.
        description: Option<Note>,
        /// How its chats find their agents.
        strategy: RoutingStrategy,
        /// When.
        at: Timestamp,
    },
    /// Get another name or description.
    Describe {
        /// The name.
        name: Name,
        /// What it is for.
        description: Option<Note>,
        /// When.
        at: Timestamp,
    },
    /// Route differently from now on.
    ChangeStrategy {
        /// The new strategy.
        strategy: RoutingStrategy,
        /// When.
        at: Timestamp,
    },
    /// Take agents in; who is in stays in.
    AddAgents {
        /// Who.
        agent_ids: BTreeSet<AgentId>,
        /// When.
        at: Timestamp,
    },
    /// Let an agent go.
    RemoveAgent {
        /// Who.
        agent_id: AgentId,
        /// When.
        at: Timestamp,
    },
    /// End.
    Delete {
        /// When.
        at: Timestamp,
    },
    /// Go on.
    Restore {
        /// When.
        at: Timestamp,
    },
}
