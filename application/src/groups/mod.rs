//! Groups: teams of agents, each with a queue.

mod change_group;
mod create_group;
mod delete_group;
mod members;

pub use change_group::{ChangeGroup, GroupChanges};
pub use create_group::CreateGroup;
pub use delete_group::DeleteGroup;
pub use members::{AddMembers, Memberships, RemoveMember};

use domain::agent::Role;

use crate::UseCaseError;
use crate::ports::Principal;

/// Refuses all callers but supervisors and admins.
pub(crate) fn ensure_supervisor(principal: Principal) -> Result<(), UseCaseError> {
    match principal {
        Principal::Agent { role, .. } if role >= Role::Supervisor => Ok(()),
        Principal::Agent { .. } | Principal::Visitor { .. } => {
            Err(UseCaseError::Forbidden("only supervisors and admins may do this"))
        }
    }
}
