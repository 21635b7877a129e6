use async_graphql::{ID, SimpleObject};
use serde::Deserialize;

use super::{AgentStatus, DateTime, Role};

/// A person who serves chats or directs those who do.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    /// A UUID, assigned at the registration.
    pub id: ID,
    /// The agent's name.
    pub name: String,
    /// The agent's e-mail address; unique among agents who are not deleted, regardless of case.
    pub email: String,
    /// The agent's role.
    pub role: Role,
    /// The agent's presence.
    pub status: AgentStatus,
    /// Whether the agent accepts new chats.
    pub accepting_chats: bool,
    /// The most chats that the agent serves at the same time.
    pub max_concurrent_chats: i32,
    /// The number of chats that the agent serves now.
    pub active_chats: i32,
    /// The URL of a picture.
    pub avatar: Option<String>,
    /// The ids of the agent's groups.
    pub group_ids: Vec<ID>,
    /// The time of the registration.
    pub created_at: DateTime,
    /// The time of the last change, including changes of their chats.
    pub updated_at: DateTime,
    /// The version for `ifMatch`. It grows with changes that people make, not with assignments.
    pub version: i32,
    /// Whether the agent is deleted.
    #[serde(default)]
    pub deleted: bool,
}

/// Statistics of an agent. Days are UTC days.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentStats {
    /// The agent whose work is counted.
    pub agent_id: ID,
    /// The time up to which the statistics count.
    pub as_of: DateTime,
    /// The number of chats that the agent serves now.
    pub active_chats: i32,
    /// The most chats that the agent serves at the same time.
    pub max_concurrent_chats: i32,
    /// Whether the router assigns chats to the agent.
    pub availability: Availability,
    /// The chats that the agent has joined.
    pub chats: RecentCounts,
    /// The messages that the agent has sent.
    pub messages_sent: RecentCounts,
    /// The time from joining a chat to the agent's first message, in the chats of the last 30 days with one.
    pub first_response_seconds: Option<Percentiles>,
    /// The time for which the agent served the chats of the last 30 days that they no longer serve.
    pub chat_duration_seconds: Option<Percentiles>,
}

/// Whether the router assigns chats to an agent.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    /// The agent's presence.
    pub status: AgentStatus,
    /// Whether the agent accepts new chats.
    pub accepting_chats: bool,
    /// The number of further chats within the agent's limit.
    pub free_slots: i32,
    /// Whether the router would assign a chat now: the agent is online, accepts chats and has a free slot.
    pub available: bool,
}

/// A count by UTC days.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecentCounts {
    /// Since midnight UTC.
    pub today: i32,
    /// Today and the six days before.
    pub last7_days: i32,
    /// Today and the 29 days before.
    pub last30_days: i32,
}

/// Percentiles of durations in seconds, by nearest rank.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
pub struct Percentiles {
    /// The number of durations.
    pub count: i32,
    /// Half of the durations are at most this long.
    pub p50: f64,
    /// Nine tenths of the durations are at most this long.
    pub p90: f64,
}
