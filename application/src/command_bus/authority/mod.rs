use domain::agent::Agent;
use domain::ids::{AgentId, SessionId};
use domain::visitor::Visitor;

use super::{Inner, UnitOfWork};
use crate::UseCaseError;
use crate::ports::{Principal, StreamId};

/// The person on whose rights a command rests. A door found them when the request came; by the time the command is decided,
/// the session may have ended, the role may be gone, and so may the account.
#[derive(Clone, Copy, Debug)]
pub struct Authority {
    /// The caller, with the role that the use case relies on.
    pub principal: Principal,
    /// The session of an agent's token.
    pub session: Option<SessionId>,
}

impl Authority {
    /// The stream with the caller's rights. An append rests on its version.
    pub(super) fn stream(&self) -> StreamId {
        match self.principal {
            Principal::Agent { id, .. } => StreamId::of::<Agent>(id),
            Principal::Visitor { id } => StreamId::of::<Visitor>(id),
        }
    }
}

impl Inner {
    /// Refuses a caller who has lost the session, the account or the role that the command rests on. The caller's stream is
    /// among what the work has read from now on, so that an append fails where it has moved.
    pub(super) async fn judge(&self, authority: &Authority, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        match authority.principal {
            Principal::Visitor { id } if work.load::<Visitor>(id).await?.erased => Err(UseCaseError::CallerGone),
            Principal::Visitor { .. } => Ok(()),
            Principal::Agent { id, role } => {
                let agent = work.load::<Agent>(id).await?;
                if !agent.is_present() {
                    return Err(UseCaseError::CallerGone);
                }
                self.ensure_open(id, authority.session).await?;
                if agent.role < role {
                    return Err(UseCaseError::Forbidden("the caller's role has changed"));
                }
                Ok(())
            }
        }
    }

    async fn ensure_open(&self, agent_id: AgentId, session: Option<SessionId>) -> Result<(), UseCaseError> {
        let (Some(sessions), Some(session)) = (&self.sessions, session) else { return Ok(()) };
        let found = sessions.find_open(session, self.clock.now()).await?;
        if found.is_some_and(|found| found.agent_id == agent_id) { Ok(()) } else { Err(UseCaseError::CallerGone) }
    }
}

#[cfg(test)]
mod tests;
