use domain::agent::Role;
use domain::ids::AgentId;

use crate::UseCaseError;
use crate::ports::Principal;

/// Refuses all but the agent and supervisors to read the figures of an agent.
///
/// # Errors
/// That the caller may not.
pub fn ensure_may_read_stats(principal: Principal, agent_id: AgentId) -> Result<(), UseCaseError> {
    match principal {
        Principal::Agent { id, role } if id == agent_id || role >= Role::Supervisor => Ok(()),
        Principal::Agent { .. } | Principal::Visitor { .. } => {
            Err(UseCaseError::Forbidden("only the agent and supervisors may read the figures of an agent"))
        }
    }
}
