//! What must be unique in the whole installation: its one default group, and that it has an admin.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::aggregate::{aggregate, events};
use crate::ids::{AgentId, GroupId, WorkspaceId};
use crate::time::Timestamp;

/// The state of the workspace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Workspace {
    /// The group that takes the chats which name none; none before the first start.
    pub default_group_id: Option<GroupId>,
    /// The admins.
    pub admin_ids: BTreeSet<AgentId>,
}

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

/// Why the workspace refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkspaceError {
    /// Somebody must be able to manage the workspace.
    #[error("the last admin cannot be dismissed")]
    LastAdmin,
}

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
aggregate!(Workspace, Workspace, WorkspaceId, WorkspaceCommand, WorkspaceEvent, WorkspaceError);

impl Workspace {
    fn decide_command(&self, command: WorkspaceCommand) -> Result<Vec<WorkspaceEvent>, WorkspaceError> {
        match command {
            WorkspaceCommand::ChooseDefaultGroup { group_id, at } => {
                let is_default = self.default_group_id == Some(group_id);
                Ok(if is_default { vec![] } else { vec![WorkspaceEvent::DefaultGroupChosen { group_id, at }] })
            }
            WorkspaceCommand::AppointAdmin { agent_id, at } => {
                let is_admin = self.admin_ids.contains(&agent_id);
                Ok(if is_admin { vec![] } else { vec![WorkspaceEvent::AdminAppointed { agent_id, at }] })
            }
            WorkspaceCommand::DismissAdmin { agent_id, at } => {
                if !self.admin_ids.contains(&agent_id) {
                    return Ok(vec![]);
                }
                if self.admin_ids.len() == 1 {
                    return Err(WorkspaceError::LastAdmin);
                }
                Ok(vec![WorkspaceEvent::AdminDismissed { agent_id, at }])
            }
        }
    }

    fn on(&mut self, event: WorkspaceEvent) {
        match event {
            WorkspaceEvent::DefaultGroupChosen { group_id, .. } => self.default_group_id = Some(group_id),
            WorkspaceEvent::AdminAppointed { agent_id, .. } => {
                self.admin_ids.insert(agent_id);
            }
            WorkspaceEvent::AdminDismissed { agent_id, .. } => {
                self.admin_ids.remove(&agent_id);
            }
        }
    }
}
