//! The rights of callers to read and change conversations.

use domain::agent::Role;
use domain::conversation::{Conversation, Participant};
use domain::group::Group;
use domain::ids::{AgentId, GroupId, ThreadId, VisitorId};
use domain::thread::Thread;

use crate::UseCaseError;
use crate::command_bus::{CommandBus, UnitOfWork};
use crate::error::Entity;
use crate::ports::Principal;

/// The people and the group of a conversation, who decide about its readers.
#[derive(Clone, Copy, Debug)]
pub struct Parties {
    pub visitor_id: Option<VisitorId>,
    /// The agent who serves it.
    pub agent_id: Option<AgentId>,
    /// The agent who served it last.
    pub last_agent_id: Option<AgentId>,
    pub group_id: Option<GroupId>,
}

impl From<&Conversation> for Parties {
    fn from(conversation: &Conversation) -> Self {
        let Conversation { visitor_id, agent_id, last_agent_id, group_id, .. } = *conversation;
        Self { visitor_id, agent_id, last_agent_id, group_id }
    }
}

/// A caller's right to read, as far as it is known without reading the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The caller may read.
    Allowed,
    /// The caller may read as a member of the conversation's group.
    IfInGroup,
    /// The caller may not read.
    Hidden,
}

/// Decides whether a caller may read a conversation: its visitor, its agents, its group's agents and supervisors may.
#[must_use]
pub fn reading(principal: Principal, parties: Parties) -> Reading {
    match principal {
        Principal::Visitor { id } if parties.visitor_id == Some(id) => Reading::Allowed,
        Principal::Visitor { .. } => Reading::Hidden,
        Principal::Agent { .. } if may_read_all(principal) => Reading::Allowed,
        Principal::Agent { id, .. } if parties.agent_id == Some(id) || parties.last_agent_id == Some(id) => {
            Reading::Allowed
        }
        Principal::Agent { .. } => Reading::IfInGroup,
    }
}

/// Whether a caller may read every conversation: supervisors and admins may. Other agents read those that they serve or
/// served last, and those of their groups.
#[must_use]
pub fn may_read_all(principal: Principal) -> bool {
    matches!(principal, Principal::Agent { role, .. } if role >= Role::Supervisor)
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

/// Refuses callers who may not read a thread, as if it did not exist.
///
/// # Errors
/// That it does not exist, or why its conversation could not be read.
pub async fn ensure_thread_readable(
    bus: &CommandBus,
    principal: Principal,
    thread_id: ThreadId,
) -> Result<(), UseCaseError> {
    // Conversation and visitor of a thread never change, so that any state of the thread will do.
    let thread = bus.peek::<Thread>(thread_id).await?;
    let hidden = UseCaseError::NotFound(Entity::Thread);
    let Some(conversation_id) = thread.conversation_id else { return Err(hidden) };
    if let Principal::Visitor { id } = principal {
        return if thread.visitor_id == Some(id) { Ok(()) } else { Err(hidden) };
    }
    let conversation = bus.read::<Conversation>(conversation_id).await?;
    match ensure_readable(bus, principal, Parties::from(&*conversation)).await {
        Err(UseCaseError::NotFound(_)) => Err(hidden),
        other => other,
    }
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

/// Refuses callers who may not end a conversation or reopen it: all but its visitor, its agent and supervisors. To callers
/// who may not read it, it does not exist.
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

/// Refuses callers who may not read a conversation, as if it did not exist.
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
