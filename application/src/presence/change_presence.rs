use std::sync::Arc;

use domain::agent::{Agent, AgentCommand, AgentEvent, AgentStatus};
use domain::ids::AgentId;

use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase, recall};
use crate::error::Entity;
use crate::ports::{LogEvent, StreamId};

/// What is noticed of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Their heartbeats have stopped.
    Lose,
    /// Their heartbeats come again.
    Regain,
}

impl Change {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lose => "lose",
            Self::Regain => "regain",
        }
    }
}

/// An agent is away because they are not heard of, or back; the status that came of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChangePresence {
    pub agent_id: AgentId,
    pub change: Change,
}

impl UseCase for ChangePresence {
    type Output = AgentStatus;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Agent>(self.agent_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<AgentStatus, UseCaseError> {
        let (agent_id, at) = (self.agent_id, work.now());
        if !work.load::<Agent>(agent_id).await?.is_present() {
            return Err(UseCaseError::NotFound(Entity::Agent));
        }
        let command = match self.change {
            Change::Lose => AgentCommand::LosePresence { at },
            Change::Regain => AgentCommand::RegainPresence { at },
        };
        work.execute::<Agent>(agent_id, command).await?;
        Ok(work.load::<Agent>(agent_id).await?.status)
    }

    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<AgentStatus> {
        recall::<Agent, _>(events, |_, event| {
            let AgentEvent::StatusChanged { status, .. } = *event else { return None };
            Some(status)
        })
    }
}
