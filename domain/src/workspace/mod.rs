//! What holds for the whole installation: it has one default group and at least one admin.

mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use command::WorkspaceCommand;
pub use error::WorkspaceError;
pub use event::WorkspaceEvent;

use crate::aggregate::aggregate;
use crate::ids::{AgentId, GroupId, WorkspaceId};

/// What the rules need to know of the workspace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Workspace {
    /// Takes the chats that name no group; `None` until the first start.
    pub default_group_id: Option<GroupId>,
    pub admin_ids: BTreeSet<AgentId>,
}

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
