use application::ports::Principal;
use domain::agent::Role;

use super::Refusal;

/// The callers that may take an action. Rights that depend on the thing itself (own chats, own groups, oneself) are checked
/// by the use case or the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Callers with a valid token: visitors and agents.
    Participant,
    /// Agents, supervisors and admins.
    Agent,
    /// Supervisors and admins.
    Supervisor,
    Admin,
    /// Admins, and programs with the token for metrics.
    Monitor,
}

impl Access {
    /// Refuses callers that may not take the action.
    ///
    /// # Errors
    /// [`super::Code::Forbidden`].
    pub(super) fn judge(self, principal: Principal) -> Result<(), Refusal> {
        let least = match self {
            Self::Public | Self::Participant => return Ok(()),
            Self::Agent => Role::Agent,
            Self::Supervisor => Role::Supervisor,
            Self::Admin | Self::Monitor => Role::Admin,
        };
        match principal {
            Principal::Agent { role, .. } if role >= least => Ok(()),
            Principal::Agent { .. } | Principal::Visitor { .. } => {
                Err(Refusal::forbidden(format!("The role {} is needed for this.", least.as_str())))
            }
        }
    }
}
