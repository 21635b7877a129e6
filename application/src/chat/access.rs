//! Who may see and touch which conversation.

use domain::agent::Role;
use domain::conversation::{Conversation, Participant};
use domain::group::Group;
use domain::ids::{AgentId, GroupId, VisitorId};

use crate::UseCaseError;
use crate::command_bus::{CommandBus, UnitOfWork};
use crate::error::Entity;
use crate::ports::Principal;

/// What decides who may read a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Parties {
    /// Its visitor.
    pub visitor_id: Option<VisitorId>,
    /// The agent who serves it.
    pub agent_id: Option<AgentId>,
    /// The agent who served it last.
    pub last_agent_id: Option<AgentId>,
    /// Its group.
    pub group_id: Option<GroupId>,
}

impl From<&Conversation> for Parties {
    fn from(conversation: &Conversation) -> Self {
        let Conversation { visitor_id, agent_id, last_agent_id, group_id, .. } = *conversation;
        Self { visitor_id, agent_id, last_agent_id, group_id }
    }
}

/// What can be said of a caller's right to read before their groups are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// They may.
    Allowed,
    /// They may, if they belong to the conversation's group.
    IfInGroup,
    /// They may not.
    Hidden,
}

/// Who may read a conversation: its visitor, its agents, its group's agents, supervisors.
#[must_use]
pub fn reading(principal: Principal, parties: Parties) -> Reading {
    match principal {
        Principal::Visitor { id } if parties.visitor_id == Some(id) => Reading::Allowed,
        Principal::Visitor { .. } => Reading::Hidden,
        Principal::Agent { role, .. } if role >= Role::Supervisor => Reading::Allowed,
        Principal::Agent { id, .. } if parties.agent_id == Some(id) || parties.last_agent_id == Some(id) => {
            Reading::Allowed
        }
        Principal::Agent { .. } => Reading::IfInGroup,
    }
}

/// Refuses callers who may not read a conversation, as if it did not exist.
///
/// # Errors
/// That it does not exist, or why the group could not be read.
pub async fn ensure_readable(bus: &CommandBus, principal: Principal, parties: Parties) -> Result<(), UseCaseError> {
    let group = match (reading(principal, parties), parties.group_id) {
        (Reading::Allowed, _) => return Ok(()),
        (Reading::IfInGroup, Some(group_id)) => bus.read::<Group>(group_id).await?,
        (Reading::IfInGroup, None) | (Reading::Hidden, _) => {
            return Err(UseCaseError::NotFound(Entity::Conversation));
        }
    };
    if is_in(principal, &group) { Ok(()) } else { Err(UseCaseError::NotFound(Entity::Conversation)) }
}

fn is_in(principal: Principal, group: &Group) -> bool {
    matches!(principal, Principal::Agent { id, .. } if group.agent_ids.contains(&id))
}

/// The caller as a participant.
pub(super) const fn participant(principal: Principal) -> Participant {
    match principal {
        Principal::Visitor { id } => Participant::Visitor(id),
        Principal::Agent { id, .. } => Participant::Agent(id),
    }
}

/// Refuses callers who may not end a conversation or go on with it: all but its visitor, its agent and supervisors.
///
/// Who may not even read it is told that it does not exist.
pub(super) async fn ensure_may_steer(
    work: &mut UnitOfWork,
    principal: Principal,
    conversation: &Conversation,
    agent: Option<AgentId>,
) -> Result<(), UseCaseError> {
    ensure_may_read(work, principal, conversation).await?;
    match principal {
        Principal::Visitor { .. } => Ok(()),
        Principal::Agent { role, .. } if role >= Role::Supervisor => Ok(()),
        Principal::Agent { id, .. } if agent == Some(id) => Ok(()),
        Principal::Agent { .. } => Err(UseCaseError::Forbidden("only the assigned agent or a supervisor may do this")),
    }
}

/// Tells callers who may not read a conversation that it does not exist.
pub(super) async fn ensure_may_read(
    work: &mut UnitOfWork,
    principal: Principal,
    conversation: &Conversation,
) -> Result<(), UseCaseError> {
    let hidden = UseCaseError::NotFound(Entity::Conversation);
    match (reading(principal, conversation.into()), conversation.group_id) {
        (_, None) | (Reading::Hidden, _) => Err(hidden),
        (Reading::Allowed, Some(_)) => Ok(()),
        (Reading::IfInGroup, Some(group_id)) => {
            let group = work.load::<Group>(group_id).await?;
            if is_in(principal, &group) { Ok(()) } else { Err(hidden) }
        }
    }
}
