use serde::{Deserialize, Serialize};

use crate::aggregate::events;
use crate::ids::{AgentId, GroupId};
use crate::time::Timestamp;

/// What happens to the workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum WorkspaceEvent {
    /// The chats that name no group go to this one.
    DefaultGroupChosen {
        /// The group.
        group_id: GroupId,
        /// When.
        at: Timestamp,
    },
    /// There is an admin more.
    AdminAppointed {
        /// Who.
        agent_id: AgentId,
        /// When.
        at: Timestamp,
    },
    /// There is an admin less.
    AdminDismissed {
        /// Who.
        agent_id: AgentId,
        /// When.
        at: Timestamp,
    },
}

events!(WorkspaceEvent { DefaultGroupChosen => "1.0", AdminAppointed => "1.0", AdminDismissed => "1.0" });
