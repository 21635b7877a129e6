//! How a chat's agent was chosen: the vocabulary that groups, conversations and the routing policy share.

use serde::{Deserialize, Serialize};

use crate::ids::AgentId;

/// How a group's chats find their agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoutingStrategy {
    /// The next one after the last assigned, in stable order.
    RoundRobin,
    /// The one with the fewest chats for their limit.
    #[default]
    LeastLoaded,
    /// The agent of the visitor's last chat, else the least loaded.
    Sticky,
}

impl RoutingStrategy {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RoundRobin => "round_robin",
            Self::LeastLoaded => "least_loaded",
            Self::Sticky => "sticky",
        }
    }

    /// The strategy with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::RoundRobin, Self::LeastLoaded, Self::Sticky].into_iter().find(|strategy| strategy.as_str() == name)
    }
}

/// What was found of an agent who might have taken a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Gets the chat.
    Chosen,
    /// Could have taken it, but the strategy preferred another.
    NotPreferred,
    /// Is not at work.
    Offline,
    /// Is away for a while.
    Away,
    /// Takes no new chats.
    NotAccepting,
    /// Serves as many chats as the limit allows.
    AtLimit,
}

/// An agent of the group, as the router saw them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// Who.
    pub agent_id: AgentId,
    /// What was found.
    pub verdict: Verdict,
    /// Chats served or just being handed over.
    pub active_chats: usize,
    /// The most chats at once.
    pub chat_limit: usize,
}

/// How the router came to its choice; it travels in the event, so that every choice can be explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoutingDecision {
    /// The group's strategy.
    pub strategy: RoutingStrategy,
    /// The chosen agent first, then the others in stable order; at most [`RoutingDecision::MAX_CANDIDATES`].
    pub candidates: Vec<Candidate>,
    /// How many more agents were looked at than are listed.
    pub omitted_candidates: usize,
    /// How often the router has tried for this wait; 1 is the first.
    pub attempt: u32,
}

impl RoutingDecision {
    /// The most candidates that a decision lists: an event must not grow with the company.
    pub const MAX_CANDIDATES: usize = 25;
}
