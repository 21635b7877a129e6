//! How a chat's agent was chosen: the vocabulary that groups, conversations and the routing policy share.

use serde::{Deserialize, Serialize};

use crate::ids::AgentId;

/// How a group chooses an agent for a chat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoutingStrategy {
    /// The next agent after the last assigned one, in order of ids.
    RoundRobin,
    /// The agent with the fewest chats relative to the limit.
    #[default]
    LeastLoaded,
    /// The agent of the visitor's previous chat, else the least loaded.
    Sticky,
}

impl RoutingStrategy {
    /// As in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RoundRobin => "round_robin",
            Self::LeastLoaded => "least_loaded",
            Self::Sticky => "sticky",
        }
    }

    /// The inverse of [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::RoundRobin, Self::LeastLoaded, Self::Sticky].into_iter().find(|strategy| strategy.as_str() == name)
    }
}

/// Why an agent was chosen or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Chosen,
    /// The agent could have taken the chat, but the strategy preferred another.
    NotPreferred,
    Offline,
    Away,
    NotAccepting,
    /// All slots are taken.
    AtLimit,
}

/// A member of the group as the router saw them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The candidate.
    pub agent_id: AgentId,
    /// Why the router chose the agent or not.
    pub verdict: Verdict,
    /// Chats served or in flight to the agent.
    #[cfg_attr(feature = "schema", schemars(with = "u32"))]
    pub active_chats: usize,
    /// The most chats that the agent serves at the same time.
    #[cfg_attr(feature = "schema", schemars(with = "u32"))]
    pub chat_limit: usize,
    /// Whether a person has just taken the chat from this agent, or the agent has given it back: all others come first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gave_back: bool,
}

/// How the router made its choice. The event carries it, so that every choice can be explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoutingDecision {
    /// The strategy of the group.
    pub strategy: RoutingStrategy,
    // At most `MAX_CANDIDATES`.
    /// The chosen agent first, then the others in stable order.
    pub candidates: Vec<Candidate>,
    /// The number of agents who were considered but are not listed.
    #[cfg_attr(feature = "schema", schemars(with = "u32"))]
    pub omitted_candidates: usize,
    /// Counts the router's attempts for this wait from 1.
    pub attempt: u32,
}

impl RoutingDecision {
    /// The most candidates that a decision lists: an event must not grow with the company.
    pub const MAX_CANDIDATES: usize = 25;
}
