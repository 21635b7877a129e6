use crate::ids::{AgentId, GroupId};
use crate::time::Timestamp;

/// Orders to the workspace.
#[derive(Clone, Copy, Debug)]
pub enum WorkspaceCommand {
    /// Chats that name no group go to this one.
    ChooseDefaultGroup {
        group_id: GroupId,
        at: Timestamp,
    },
    AppointAdmin {
        agent_id: AgentId,
        at: Timestamp,
    },
    /// Refused for the last admin.
    DismissAdmin {
        agent_id: AgentId,
        at: Timestamp,
    },
}
