use crate::ids::{AgentId, GroupId};
use crate::time::Timestamp;

/// What the workspace can be told to do.
#[derive(Clone, Copy, Debug)]
pub enum WorkspaceCommand {
    /// Send the chats that name no group to this one.
    ChooseDefaultGroup {
        /// The group.
        group_id: GroupId,
        /// When.
        at: Timestamp,
    },
    /// Count an admin more.
    AppointAdmin {
        /// Who.
        agent_id: AgentId,
        /// When.
        at: Timestamp,
    },
    /// Count an admin less.
    DismissAdmin {
        /// Who.
        agent_id: AgentId,
        /// When.
        at: Timestamp,
    },
}
