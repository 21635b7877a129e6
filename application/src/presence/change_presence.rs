use std::sync::Arc;

use domain::agent::{Agent, AgentCommand, AgentEvent, AgentStatus};
use domain::ids::AgentId;

use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase, recall};
use crate::error::Entity;
use crate::ports::{LogEvent, StreamId};

/// A change that the heartbeats show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PresenceChange {
    /// The heartbeats stopped.
    Lose,
    /// The heartbeats came back.
    Regain,
}

impl PresenceChange {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lose => "lose",
            Self::Regain => "regain",
        }
    }
}

/// Records that an agent's heartbeats stopped or came back. The answer is the agent's status.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChangePresence {
    pub agent_id: AgentId,
    pub change: PresenceChange,
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
            PresenceChange::Lose => AgentCommand::LosePresence { at },
            PresenceChange::Regain => AgentCommand::RegainPresence { at },
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
