//! The rights of callers to read and change conversations.

use domain::agent::Role;
use domain::conversation::{Conversation, Participant};
use domain::group::Group;
use domain::ids::{AgentId, ConversationId, GroupId, ThreadId};
use domain::thread::Thread;

use super::Parties;
use crate::UseCaseError;
use crate::command_bus::{CommandBus, UnitOfWork};
use crate::error::Entity;
use crate::ports::{AsOf, Principal};

/// A caller's right to read, as far as it is known without reading the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadRight {
    /// The caller may read.
    Allowed,
    /// The caller may read as a member of the conversation's group.
    IfInGroup,
    /// The caller may not read.
    Hidden,
}

/// Decides whether a caller may read a conversation: its visitor, its agents, its group's agents and supervisors may.
#[must_use]
pub fn reading(principal: Principal, parties: Parties) -> ReadRight {
    match principal {
        Principal::Visitor { id } if parties.visitor_id == Some(id) => ReadRight::Allowed,
        Principal::Visitor { .. } => ReadRight::Hidden,
        Principal::Agent { .. } if may_read_all(principal) => ReadRight::Allowed,
        Principal::Agent { id, .. } if parties.agent_id == Some(id) || parties.last_agent_id == Some(id) => {
            ReadRight::Allowed
        }
        Principal::Agent { .. } => ReadRight::IfInGroup,
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
        (ReadRight::Allowed, _) => return Ok(()),
        (ReadRight::IfInGroup, Some(group_id)) => bus.read::<Group>(group_id).await?,
        (ReadRight::IfInGroup, None) | (ReadRight::Hidden, _) => {
            return Err(UseCaseError::NotFound(Entity::Conversation));
        }
    };
    if is_in(principal, &group) { Ok(()) } else { Err(UseCaseError::NotFound(Entity::Conversation)) }
}

/// Refuses callers who may not read a conversation as the log knows it now, as if it did not exist.
///
/// # Errors
/// That it does not exist, or why the log could not be read.
pub async fn ensure_conversation_readable(
    bus: &CommandBus,
    principal: Principal,
    id: ConversationId,
) -> Result<(), UseCaseError> {
    if let Principal::Visitor { id: visitor_id } = principal
        // The visitor of a conversation never changes, so that any state of it will do.
        && bus.peek::<Conversation>(id).await?.visitor_id == Some(visitor_id)
    {
        return Ok(());
    }
    let conversation = bus.read::<Conversation>(id).await?;
    if !conversation.has_started() {
        return Err(UseCaseError::NotFound(Entity::Conversation));
    }
    ensure_readable(bus, principal, Parties::from(&*conversation)).await
}

/// Which of these groups an agent is in as of a moment of the log.
///
/// # Errors
/// When the log cannot be read.
pub async fn groups_still_of(
    bus: &CommandBus,
    principal: Principal,
    group_ids: Vec<GroupId>,
    as_of: AsOf,
) -> Result<Vec<GroupId>, UseCaseError> {
    let mut own = vec![];
    for id in group_ids {
        let group = bus.read_as_of::<Group>(id, as_of).await?;
        if is_in(principal, &group) {
            own.push(id);
        }
    }
    Ok(own)
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
#[must_use]
pub const fn participant(principal: Principal) -> Participant {
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
        (_, None) | (ReadRight::Hidden, _) => Err(hidden),
        (ReadRight::Allowed, Some(_)) => Ok(()),
        (ReadRight::IfInGroup, Some(group_id)) => {
            let group = work.load::<Group>(group_id).await?;
            if is_in(principal, &group) { Ok(()) } else { Err(hidden) }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::VisitorId;
    use uuid::Uuid;

    use super::*;
    use crate::testing::Company;

    const ANNA: AgentId = AgentId::new(Uuid::from_u128(1));
    const BERT: AgentId = AgentId::new(Uuid::from_u128(2));
    const VERA: VisitorId = VisitorId::new(Uuid::from_u128(3));

    const PARTIES: Parties = Parties { visitor_id: Some(VERA), agent_id: None, last_agent_id: None, group_id: None };

    const fn agent(id: AgentId, role: Role) -> Principal {
        Principal::Agent { id, role }
    }

    #[test]
    fn conversation_is_readable_by_its_visitor_and_by_no_other() {
        assert_eq!(reading(Principal::Visitor { id: VERA }, PARTIES), ReadRight::Allowed);
        let stranger = Principal::Visitor { id: VisitorId::new(Uuid::from_u128(4)) };
        assert_eq!(reading(stranger, PARTIES), ReadRight::Hidden);
    }

    #[test]
    fn conversation_is_readable_by_the_agents_who_serve_and_served_it() {
        let served = Parties { agent_id: Some(ANNA), last_agent_id: Some(BERT), ..PARTIES };
        for id in [ANNA, BERT] {
            assert_eq!(reading(agent(id, Role::Agent), served), ReadRight::Allowed);
            assert_eq!(reading(agent(id, Role::Agent), PARTIES), ReadRight::IfInGroup);
        }
    }

    #[test]
    fn supervisors_and_admins_read_all_and_only_they() {
        for (role, all) in [(Role::Agent, false), (Role::Supervisor, true), (Role::Admin, true)] {
            assert_eq!(may_read_all(agent(ANNA, role)), all);
            assert_eq!(reading(agent(ANNA, role), PARTIES) == ReadRight::Allowed, all);
        }
        assert!(!may_read_all(Principal::Visitor { id: VERA }));
    }

    async fn thread_of(company: &Company, id: ConversationId) -> ThreadId {
        company.bus.read::<Conversation>(id).await.unwrap().active_thread_id.unwrap()
    }

    #[tokio::test]
    async fn thread_is_readable_by_its_visitor_and_the_groups_agents() {
        let company = Company::open().await;
        let thread_id = thread_of(&company, company.chat_of(VERA, None).await).await;
        let member = company.agent_with_slots(1).await;
        for caller in [Principal::Visitor { id: VERA }, agent(member, Role::Agent), agent(ANNA, Role::Supervisor)] {
            ensure_thread_readable(&company.bus, caller, thread_id).await.unwrap();
        }
    }

    #[tokio::test]
    async fn conversation_is_hidden_from_those_who_may_not_read_it_like_one_that_does_not_exist() {
        let company = Company::open().await;
        let (known, unknown) = (company.chat_of(VERA, None).await, ConversationId::new(Uuid::from_u128(404)));
        let member = company.agent_with_slots(1).await;
        for caller in [Principal::Visitor { id: VERA }, agent(member, Role::Agent), agent(ANNA, Role::Supervisor)] {
            ensure_conversation_readable(&company.bus, caller, known).await.unwrap();
        }
        let stranger = Principal::Visitor { id: VisitorId::new(Uuid::from_u128(4)) };
        for (caller, id) in [
            (stranger, known),
            (agent(ANNA, Role::Agent), known),
            (agent(ANNA, Role::Admin), unknown),
            (stranger, unknown),
        ] {
            let refused = ensure_conversation_readable(&company.bus, caller, id).await;
            assert!(matches!(refused, Err(UseCaseError::NotFound(Entity::Conversation))), "{caller:?}: {refused:?}");
        }
    }

    #[tokio::test]
    async fn thread_is_hidden_from_other_visitors_and_from_agents_of_no_group_like_one_that_does_not_exist() {
        let company = Company::open().await;
        let thread_id = thread_of(&company, company.chat_of(VERA, None).await).await;
        let stranger = Principal::Visitor { id: VisitorId::new(Uuid::from_u128(4)) };
        let unknown = ThreadId::new(Uuid::from_u128(404));
        for (caller, id) in
            [(stranger, thread_id), (agent(ANNA, Role::Agent), thread_id), (agent(ANNA, Role::Admin), unknown)]
        {
            let refused = ensure_thread_readable(&company.bus, caller, id).await;
            assert!(matches!(refused, Err(UseCaseError::NotFound(Entity::Thread))), "{caller:?}: {refused:?}");
        }
    }
}
