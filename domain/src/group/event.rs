use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::aggregate::events;
use crate::assignment::RoutingStrategy;
use crate::ids::AgentId;
use crate::text::{Name, Note};
use crate::time::Timestamp;

/// What happens to a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum GroupEvent {
    /// It began.
    GroupCreated {
        /// Its name.
        name: Name,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Note>,
        /// How its chats find their agents.
        strategy: RoutingStrategy,
        /// When.
        at: Timestamp,
    },
    /// It has another name or description.
    GroupDescribed {
        /// The name.
        name: Name,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Note>,
        /// When.
        at: Timestamp,
    },
    /// It routes differently.
    StrategyChanged {
        /// The new strategy.
        strategy: RoutingStrategy,
        /// When.
        at: Timestamp,
    },
    /// Agents came in.
    AgentsAdded {
        /// Who.
        agent_ids: BTreeSet<AgentId>,
        /// When.
        at: Timestamp,
    },
    /// An agent went.
    AgentRemoved {
        /// Who.
        agent_id: AgentId,
        /// When.
        at: Timestamp,
    },
    /// It ended.
    GroupDeleted {
        /// When.
        at: Timestamp,
    },
    /// It goes on.
    GroupRestored {
        /// When.
        at: Timestamp,
    },
}

events!(GroupEvent {
    GroupCreated => "1.0",
    GroupDescribed => "1.0",
    StrategyChanged => "1.0",
    AgentsAdded => "1.0",
    AgentRemoved => "1.0",
    GroupDeleted => "1.0",
    GroupRestored => "1.0",
});
