use application::ports::Sequence;
use domain::agent::{AgentStatus, Role};
use domain::ids::{AgentId, GroupId};
use domain::routing::RoutingStrategy;
use domain::time::Timestamp;
use serde::Serialize;

use super::{AgentRow, GroupRow};

/// A person who answers chats, with availability and slots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Agent"))]
#[serde(rename_all = "camelCase")]
pub struct AgentView {
    /// A UUID, assigned at the registration.
    pub id: AgentId,
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
    pub max_concurrent_chats: i64,
    /// The number of chats that the agent serves now.
    pub active_chats: i64,
    /// The URL of a picture.
    pub avatar: Option<String>,
    /// The ids of the agent's groups.
    pub group_ids: Vec<GroupId>,
    /// The time of the registration.
    pub created_at: Timestamp,
    /// The time of the last change, including changes of their chats.
    pub updated_at: Timestamp,
    /// The version for If-Match. It grows with changes that people make, not with assignments.
    pub version: Sequence,
    /// True if the agent is deleted; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl AgentView {
    pub(super) fn new(row: AgentRow, group_ids: Vec<GroupId>) -> Self {
        Self {
            id: row.id,
            name: row.name,
            email: row.email,
            role: row.role,
            status: row.status,
            accepting_chats: row.accepting_chats,
            max_concurrent_chats: row.chat_limit,
            active_chats: row.active_chats,
            avatar: row.avatar,
            group_ids,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
            deleted: row.deleted,
        }
    }
}

/// A group of agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Group"))]
#[serde(rename_all = "camelCase")]
pub struct GroupView {
    /// A UUID, assigned at the creation.
    pub id: GroupId,
    /// The group's name.
    pub name: String,
    /// The purpose of the group.
    pub description: Option<String>,
    /// The rule by which the group's chats are assigned to agents.
    pub routing_strategy: RoutingStrategy,
    /// Whether the group serves the chats that name no group.
    pub is_default: bool,
    /// The ids of the group's agents.
    pub agent_ids: Vec<AgentId>,
    /// The version for If-Match.
    pub version: Sequence,
    /// True if the group is deleted; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl GroupView {
    pub(super) fn new(row: GroupRow, agent_ids: Vec<AgentId>) -> Self {
        Self {
            id: row.id,
            name: row.name,
            description: row.description,
            routing_strategy: row.strategy,
            is_default: row.is_default,
            agent_ids,
            version: row.version,
            deleted: row.deleted,
        }
    }
}
