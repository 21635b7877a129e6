use std::sync::Arc;

use domain::agent::{Agent, EmailClaim, Registration};
use domain::ids::{AgentId, EmailClaimId};

use super::register_agent::register_into_default_group;
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase, recall_id};
use crate::ports::{LogEvent, StreamId};

/// The operator makes an admin, when no admin can log in to register one.
#[derive(Clone, Debug)]
pub struct AppointAdmin {
    /// The new admin's id; the password is stored under it before.
    pub agent_id: AgentId,
    /// Name, address, role and settings of the new admin.
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
        recall_id::<Agent>(events)
    }
}
