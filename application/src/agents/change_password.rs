use std::sync::Arc;

use domain::agent::{Agent, AgentCommand};
use domain::ids::AgentId;

use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::ports::{LogEvent, StreamId};

/// Records that an agent has another password. The password itself is never in the log.
#[derive(Clone, Copy, Debug)]
pub struct NotePasswordChange {
    pub agent_id: AgentId,
}

impl UseCase for NotePasswordChange {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Agent>(self.agent_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let at = work.now();
        work.execute::<Agent>(self.agent_id, AgentCommand::ChangePassword { at }).await?;
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}
