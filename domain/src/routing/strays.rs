//! Agents who are not at work and still serve chats.

use super::queue::RoutingState;
use crate::agent::AgentStatus;
use crate::ids::AgentId;

impl RoutingState {
    /// Agents who went offline or were deleted and have chats left, because there were more than one append gives back
    /// or because it was broken off. Each is told of once, and again after [`Self::wake_all`].
    pub fn strays(&mut self) -> Vec<AgentId> {
        let suspects = std::mem::take(&mut self.to_relieve);
        suspects.into_iter().filter(|agent_id| self.is_stray(*agent_id)).collect()
    }

    pub(super) fn suspect_all(&mut self) {
        self.to_relieve = self.agents.keys().copied().filter(|agent_id| self.is_stray(*agent_id)).collect();
    }

    fn is_stray(&self, agent_id: AgentId) -> bool {
        self.agent(agent_id).is_some_and(|agent| agent.status == AgentStatus::Offline && !agent.slots.is_empty())
    }
}
