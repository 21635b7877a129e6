//! A team of agents with its routing strategy.

mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use command::GroupCommand;
pub use error::GroupError;
pub use event::GroupEvent;

use crate::aggregate::aggregate;
use crate::assignment::RoutingStrategy;
use crate::ids::{AgentId, GroupId};
use crate::text::{Name, Note};

/// What the rules need to know of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// `None` until the group is created.
    pub name: Option<Name>,
    pub description: Option<Note>,
    pub strategy: RoutingStrategy,
    pub agent_ids: BTreeSet<AgentId>,
    pub deleted: bool,
}

aggregate!(Group, Group, GroupId, GroupCommand, GroupEvent, GroupError);

impl Group {
    /// Created and not deleted.
    #[must_use]
    pub const fn is_present(&self) -> bool {
        self.name.is_some() && !self.deleted
    }

    fn decide_command(&self, command: GroupCommand) -> Result<Vec<GroupEvent>, GroupError> {
        match command {
            GroupCommand::Create { name, description, strategy, at } => {
                if self.name.is_some() {
                    return Err(GroupError::AlreadyCreated);
                }
                Ok(vec![GroupEvent::GroupCreated { name, description, strategy, at }])
            }
            GroupCommand::Describe { name, description, at } => {
                self.ensure_present()?;
                if self.name.as_ref() == Some(&name) && self.description == description {
                    return Ok(vec![]);
                }
                Ok(vec![GroupEvent::GroupDescribed { name, description, at }])
            }
            GroupCommand::ChangeStrategy { strategy, at } => {
                self.ensure_present()?;
                Ok(if self.strategy == strategy { vec![] } else { vec![GroupEvent::StrategyChanged { strategy, at }] })
            }
            GroupCommand::AddAgents { agent_ids, at } => {
                self.ensure_present()?;
                let agent_ids: BTreeSet<_> = agent_ids.difference(&self.agent_ids).copied().collect();
                Ok(if agent_ids.is_empty() { vec![] } else { vec![GroupEvent::AgentsAdded { agent_ids, at }] })
            }
            GroupCommand::RemoveAgent { agent_id, at } => {
                self.ensure_present()?;
                let is_in = self.agent_ids.contains(&agent_id);
                Ok(if is_in { vec![GroupEvent::AgentRemoved { agent_id, at }] } else { vec![] })
            }
            GroupCommand::Delete { at } => {
                self.ensure_created()?;
                Ok(if self.deleted { vec![] } else { vec![GroupEvent::GroupDeleted { at }] })
            }
            GroupCommand::Restore { at } => {
                self.ensure_created()?;
                Ok(if self.deleted { vec![GroupEvent::GroupRestored { at }] } else { vec![] })
            }
        }
    }

    const fn ensure_created(&self) -> Result<(), GroupError> {
        if self.name.is_some() { Ok(()) } else { Err(GroupError::NotCreated) }
    }

    const fn ensure_present(&self) -> Result<(), GroupError> {
        if self.is_present() { Ok(()) } else { Err(GroupError::NotCreated) }
    }

    fn on(&mut self, event: GroupEvent) {
        match event {
            GroupEvent::GroupCreated { name, description, strategy, .. } => {
                self.name = Some(name);
                self.description = description;
                self.strategy = strategy;
            }
            GroupEvent::GroupDescribed { name, description, .. } => {
                self.name = Some(name);
                self.description = description;
            }
            GroupEvent::StrategyChanged { strategy, .. } => self.strategy = strategy,
            GroupEvent::AgentsAdded { agent_ids, .. } => self.agent_ids.extend(agent_ids),
            GroupEvent::AgentRemoved { agent_id, .. } => {
                self.agent_ids.remove(&agent_id);
            }
            GroupEvent::GroupDeleted { .. } => self.deleted = true,
            GroupEvent::GroupRestored { .. } => self.deleted = false,
        }
    }
}
