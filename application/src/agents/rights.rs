//! The rights to see and change agents.

use domain::agent::Role;
use domain::ids::AgentId;

use crate::UseCaseError;
use crate::error::Entity;
use crate::ports::Principal;

/// Refuses all callers but admins.
pub(super) const fn ensure_admin(principal: Principal) -> Result<AgentId, UseCaseError> {
    match principal {
        Principal::Agent { id, role: Role::Admin } => Ok(id),
        Principal::Agent { .. } | Principal::Visitor { .. } => Err(UseCaseError::Forbidden("only admins may do this")),
    }
}

/// Refuses all callers but the agent and supervisors to set the agent's status.
pub(super) fn ensure_may_set_status(principal: Principal, agent_id: AgentId) -> Result<AgentId, UseCaseError> {
    let refusal = UseCaseError::Forbidden("only the agent or a supervisor may set the status");
    ensure_self_or_supervisor(principal, agent_id).ok_or(refusal)
}

/// Refuses all callers but the agent and supervisors to read the figures of an agent.
///
/// # Errors
/// [`UseCaseError::Forbidden`].
pub fn ensure_may_read_stats(principal: Principal, agent_id: AgentId) -> Result<(), UseCaseError> {
    let refusal = UseCaseError::Forbidden("only the agent and supervisors may read the figures of an agent");
    ensure_self_or_supervisor(principal, agent_id).map(|_| ()).ok_or(refusal)
}

/// Hides what was deleted from all callers but admins.
pub(crate) fn ensure_may_see(principal: Principal, is_present: bool, entity: Entity) -> Result<(), UseCaseError> {
    if is_present || ensure_may_read_deleted(principal).is_ok() { Ok(()) } else { Err(UseCaseError::NotFound(entity)) }
}

/// Refuses all callers but admins to read deleted agents, groups and tags.
///
/// # Errors
/// [`UseCaseError::Forbidden`].
pub const fn ensure_may_read_deleted(principal: Principal) -> Result<(), UseCaseError> {
    match principal {
        Principal::Agent { role: Role::Admin, .. } => Ok(()),
        Principal::Agent { .. } | Principal::Visitor { .. } => {
            Err(UseCaseError::Forbidden("only admins may see what was deleted"))
        }
    }
}

fn ensure_self_or_supervisor(principal: Principal, agent_id: AgentId) -> Option<AgentId> {
    match principal {
        Principal::Agent { id, role } if id == agent_id || role >= Role::Supervisor => Some(id),
        Principal::Agent { .. } | Principal::Visitor { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::VisitorId;
    use uuid::Uuid;

    use super::*;

    const ANNA: AgentId = AgentId::new(Uuid::from_u128(1));
    const BERT: AgentId = AgentId::new(Uuid::from_u128(2));
    const VERA: Principal = Principal::Visitor { id: VisitorId::new(Uuid::from_u128(1)) };

    const fn bert(role: Role) -> Principal {
        Principal::Agent { id: BERT, role }
    }

    #[test]
    fn only_admins_are_admins() {
        assert_eq!(ensure_admin(bert(Role::Admin)).unwrap(), BERT);
        assert!(ensure_may_read_deleted(bert(Role::Admin)).is_ok());
        for caller in [bert(Role::Supervisor), bert(Role::Agent), VERA] {
            assert!(matches!(ensure_admin(caller), Err(UseCaseError::Forbidden(_))), "{caller:?}");
            assert!(matches!(ensure_may_read_deleted(caller), Err(UseCaseError::Forbidden(_))), "{caller:?}");
        }
    }

    #[test]
    fn what_was_deleted_is_hidden_from_all_but_admins() {
        for (caller, shown) in [(bert(Role::Admin), true), (bert(Role::Supervisor), false), (VERA, false)] {
            assert_eq!(ensure_may_see(caller, false, Entity::Tag).is_ok(), shown, "{caller:?}");
            assert!(ensure_may_see(caller, true, Entity::Tag).is_ok());
        }
    }

    #[test]
    fn status_and_figures_are_for_the_agent_and_supervisors() {
        for (caller, allowed) in [
            (bert(Role::Agent), false),
            (bert(Role::Supervisor), true),
            (bert(Role::Admin), true),
            (Principal::Agent { id: ANNA, role: Role::Agent }, true),
            (VERA, false),
        ] {
            assert_eq!(ensure_may_set_status(caller, ANNA).is_ok(), allowed, "{caller:?}");
            assert_eq!(ensure_may_read_stats(caller, ANNA).is_ok(), allowed, "{caller:?}");
        }
    }
}
