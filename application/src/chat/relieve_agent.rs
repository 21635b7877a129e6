use std::sync::Arc;

use domain::agent::{Agent, AgentStatus};
use domain::conversation::QueueReason;
use domain::ids::AgentId;
use domain::thread::LeaveReason;

use super::return_chats::return_chats_to_queue;
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::ports::{LogEvent, StreamId};

/// Returns chats of an offline agent to the queue. The output is how many the agent still has.
#[derive(Clone, Copy, Debug)]
pub struct RelieveAgent {
    pub agent_id: AgentId,
}

impl UseCase for RelieveAgent {
    type Output = usize;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Agent>(self.agent_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<usize, UseCaseError> {
        let agent = work.load::<Agent>(self.agent_id).await?;
        if agent.status != AgentStatus::Offline {
            return Ok(0);
        }
        let (queue, leave) = if agent.deleted {
            (QueueReason::AgentDeleted, LeaveReason::AgentDeleted)
        } else {
            (QueueReason::AgentOffline, LeaveReason::AgentOffline)
        };
        return_chats_to_queue(work, self.agent_id, queue, leave).await
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<usize> {
        None
    }
}
