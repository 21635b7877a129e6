use std::cmp::Ordering;

use crate::assignment::RoutingStrategy;
use crate::ids::AgentId;

/// An agent who could take the chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eligible {
    pub agent_id: AgentId,
    /// Chats served or in flight.
    pub active_chats: usize,
    /// At least 1.
    pub chat_limit: usize,
    /// The order of the last assignment: lower is longer ago.
    pub last_assigned: (u64, i64),
}

/// Chooses one of the eligible agents, which are in order of their ids; `None` if there are none.
///
/// `last_assigned` is the group's last choice, for round robin; `last_agent` is the agent of the visitor's previous
/// chat, for sticky.
#[must_use]
pub fn select(
    strategy: RoutingStrategy,
    eligible: &[Eligible],
    last_assigned: Option<AgentId>,
    last_agent: Option<AgentId>,
) -> Option<AgentId> {
    match strategy {
        RoutingStrategy::RoundRobin => next_after(eligible, last_assigned),
        RoutingStrategy::LeastLoaded => least_loaded(eligible),
        RoutingStrategy::Sticky => eligible
            .iter()
            .map(|agent| agent.agent_id)
            .find(|agent_id| Some(*agent_id) == last_agent)
            .or_else(|| least_loaded(eligible)),
    }
}

fn next_after(eligible: &[Eligible], last: Option<AgentId>) -> Option<AgentId> {
    let after = |agent: &&Eligible| last.is_none_or(|last| agent.agent_id > last);
    eligible.iter().find(after).or_else(|| eligible.first()).map(|agent| agent.agent_id)
}

fn least_loaded(eligible: &[Eligible]) -> Option<AgentId> {
    eligible.iter().min_by(|a, b| compare_load(a, b)).map(|agent| agent.agent_id)
}

/// Fewest chats relative to the limit, then the longest since the last assignment, then the id.
fn compare_load(a: &Eligible, b: &Eligible) -> Ordering {
    // a / limit_a < b / limit_b, multiplied out to stay with integers.
    let load = (a.active_chats * b.chat_limit).cmp(&(b.active_chats * a.chat_limit));
    load.then(a.last_assigned.cmp(&b.last_assigned)).then(a.agent_id.cmp(&b.agent_id))
}
