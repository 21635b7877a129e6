use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::aggregate::events;
use crate::assignment::RoutingStrategy;
use crate::ids::AgentId;
use crate::text::{Name, Note};
use crate::time::Timestamp;

/// Facts about a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum GroupEvent {
    GroupCreated {
        name: Name,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Note>,
        strategy: RoutingStrategy,
        at: Timestamp,
    },
    /// Carries the whole new name and description, also what stayed the same.
    GroupDescribed {
        name: Name,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Note>,
        at: Timestamp,
    },
    StrategyChanged {
        strategy: RoutingStrategy,
        at: Timestamp,
    },
    /// Only agents who were not members before.
    AgentsAdded {
        agent_ids: BTreeSet<AgentId>,
        at: Timestamp,
    },
    AgentRemoved {
        agent_id: AgentId,
        at: Timestamp,
    },
    GroupDeleted {
        at: Timestamp,
    },
    GroupRestored {
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
