use std::sync::Arc;

use domain::agent::{EmailClaim, Registration};
use domain::ids::{AgentId, EmailClaimId};

use super::register_agent::{agent_of, register_into_default_group};
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::ports::{LogEvent, StreamId};

/// The operator makes an admin, for when nobody can log in who could.
#[derive(Clone, Debug)]
pub struct AppointAdmin {
    /// The new admin's id; their password is stored under it before.
    pub agent_id: AgentId,
    /// All that is known of them.
    pub registration: Registration,
}

impl UseCase for AppointAdmin {
    type Output = AgentId;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<EmailClaim>(EmailClaimId::of(&self.registration.email))]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<AgentId, UseCaseError> {
        register_into_default_group(work, self.agent_id, &self.registration).await?;
        Ok(self.agent_id)
    }

    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<AgentId> {
        agent_of(events)
    }
}
