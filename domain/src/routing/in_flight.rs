use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{AgentId, ConversationId};

/// What the router has ordered and the log does not show yet.
///
/// A proposal counts as a chat of its agent from the moment it is made until the log shows the slot, or until it is
/// taken back. So an agent never gets more chats than the limit, however far the router's reading lags behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct InFlight {
    proposals: BTreeMap<ConversationId, AgentId>,
    /// Waiting chats whose wait has ended in the log. They are left alone until the router reads how.
    overtaken: BTreeSet<ConversationId>,
    /// Chats on their way out of a deleted group.
    relocations: BTreeSet<ConversationId>,
}

impl InFlight {
    pub(super) fn propose(&mut self, id: ConversationId, agent_id: AgentId) {
        self.proposals.insert(id, agent_id);
    }

    /// Marks a chat as on its way to another group; false if it was already.
    pub(super) fn relocate(&mut self, id: ConversationId) -> bool {
        self.relocations.insert(id)
    }

    /// The log shows the slot. False if the chat was not in flight to this agent.
    pub(super) fn land(&mut self, id: ConversationId, agent_id: AgentId) -> bool {
        let was_expected = self.is_on_its_way(id, agent_id);
        if was_expected {
            self.proposals.remove(&id);
        }
        was_expected
    }

    /// Takes back what was ordered for a chat. Returns the agent whose slot is free again.
    pub(super) fn take_back(&mut self, id: ConversationId) -> Option<AgentId> {
        self.relocations.remove(&id);
        self.proposals.remove(&id)
    }

    /// The log has ended the wait in a way that the router has not read yet.
    pub(super) fn overtake(&mut self, id: ConversationId) {
        self.overtaken.insert(id);
    }

    /// The router has read how the wait ended.
    pub(super) fn end_wait(&mut self, id: ConversationId) {
        self.overtaken.remove(&id);
    }

    pub(super) fn forget_overtaken(&mut self) {
        self.overtaken.clear();
    }

    pub(super) fn is_on_its_way(&self, id: ConversationId, agent_id: AgentId) -> bool {
        self.proposals.get(&id) == Some(&agent_id)
    }

    /// Whether a waiting chat must not be proposed now.
    pub(super) fn holds(&self, id: ConversationId) -> bool {
        self.proposals.contains_key(&id) || self.overtaken.contains(&id)
    }

    pub(super) fn count_by_agent(&self) -> BTreeMap<AgentId, usize> {
        let mut counts = BTreeMap::new();
        for agent_id in self.proposals.values() {
            *counts.entry(*agent_id).or_insert(0) += 1;
        }
        counts
    }
}
