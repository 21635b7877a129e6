//! A team of agents with its routing strategy.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::aggregate::{aggregate, events};
use crate::ids::{AgentId, GroupId};
use crate::routing::RoutingStrategy;
use crate::text::{Name, Note};
use crate::time::Timestamp;

/// The state of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name; none before the creation.
    pub name: Option<Name>,
    /// What it is for.
    pub description: Option<Note>,
    /// How its chats find their agents.
    pub strategy: RoutingStrategy,
    /// Its agents.
    pub agent_ids: BTreeSet<AgentId>,
    /// Whether it was deleted.
    pub deleted: bool,
}

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

/// Why a group refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// There is no such group, or it was deleted.
    #[error("the group does not exist")]
    NotCreated,
    /// A group begins once.
    #[error("the group exists already")]
    AlreadyCreated,
}

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
aggregate!(Group, Group, GroupId, GroupCommand, GroupEvent, GroupError);

impl Group {
    /// Whether the group was created and not deleted.
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
