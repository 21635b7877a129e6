use std::collections::BTreeMap;

use crate::ids::{AgentId, GroupId};

/// The order in which agents got their last chats, including proposals that are not in the log yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Recency {
    /// The agent of each group's last proposal.
    last_proposed: BTreeMap<GroupId, AgentId>,
    /// The number of each agent's last assignment since this state was restored; higher is later.
    last_of_agent: BTreeMap<AgentId, u64>,
    assignments: u64,
}

impl Recency {
    pub(super) fn propose(&mut self, group_id: GroupId, agent_id: AgentId) {
        self.last_proposed.insert(group_id, agent_id);
        self.assign(agent_id);
    }

    pub(super) fn assign(&mut self, agent_id: AgentId) {
        self.assignments += 1;
        self.last_of_agent.insert(agent_id, self.assignments);
    }

    pub(super) fn last_in(&self, group_id: GroupId) -> Option<AgentId> {
        self.last_proposed.get(&group_id).copied()
    }

    /// The order of agents by their last assignment; `position` is the one in the log. What this process has assigned
    /// comes after everything that was in the log before it.
    pub(super) fn order_of(&self, agent_id: AgentId, position: i64) -> (u64, i64) {
        (self.last_of_agent.get(&agent_id).copied().unwrap_or(0), position)
    }
}
