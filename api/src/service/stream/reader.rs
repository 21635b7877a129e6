use std::collections::BTreeSet;

use application::chat::{Parties, ReadRight, may_read_all, reading};
use application::ports::Principal;
use domain::ids::{AgentId, GroupId};

/// A reader of the stream, with the rights that it began with. A change of these rights ends the stream.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) principal: Principal,
    /// The groups of an agent, deleted ones as well: their conversations stay readable.
    pub(super) groups: BTreeSet<GroupId>,
}

impl Reader {
    /// Whether the reader may read a conversation with these parties.
    pub(super) fn may_read(&self, parties: &Parties) -> bool {
        match reading(self.principal, *parties) {
            ReadRight::Allowed => true,
            ReadRight::IfInGroup => parties.group_id.is_some_and(|id| self.groups.contains(&id)),
            ReadRight::Hidden => false,
        }
    }

    /// Whether the reader is an agent. Agents see all agents, groups and tags.
    pub(super) const fn is_agent(&self) -> bool {
        matches!(self.principal, Principal::Agent { .. })
    }

    /// Whether the reader is this agent.
    pub(super) fn is(&self, agent: AgentId) -> bool {
        matches!(self.principal, Principal::Agent { id, .. } if id == agent)
    }

    /// Whether groups decide what the reader sees.
    pub(super) fn depends_on_groups(&self) -> bool {
        self.is_agent() && !may_read_all(self.principal)
    }
}
