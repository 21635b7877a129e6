use serde::{Deserialize, Serialize};

use crate::aggregate::events;
use crate::ids::{AgentId, GroupId};
use crate::time::Timestamp;

/// Facts about the workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum WorkspaceEvent {
    /// The chats that name no group go to this one.
    DefaultGroupChosen {
        group_id: GroupId,
        at: Timestamp,
    },
    AdminAppointed {
        agent_id: AgentId,
        at: Timestamp,
    },
    AdminDismissed {
        agent_id: AgentId,
        at: Timestamp,
    },
}

events!(WorkspaceEvent { DefaultGroupChosen => "1.0", AdminAppointed => "1.0", AdminDismissed => "1.0" });
