use application::ports::Sequence;
use domain::agent::{AgentStatus, Role};
use domain::ids::{AgentId, GroupId};
use domain::routing::RoutingStrategy;
use domain::time::Timestamp;
use serde::Serialize;

use super::{AgentRow, GroupRow};

/// An agent as clients see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentView {
    /// Their id.
    pub id: AgentId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Whether they are at work.
    pub status: AgentStatus,
    /// Whether they take new chats.
    pub accepting_chats: bool,
    /// The most chats at once.
    pub max_concurrent_chats: i64,
    /// The chats they serve.
    pub active_chats: i64,
    /// A picture of them.
    pub avatar: Option<String>,
    /// Their groups.
    pub group_ids: Vec<GroupId>,
    /// When they were registered.
    pub created_at: Timestamp,
    /// When anything of theirs changed, chats included.
    pub updated_at: Timestamp,
    /// The sequence of the last event in which a person changed the agent.
    pub version: Sequence,
    /// Whether they were deleted; left out of the answer when not.
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

/// A group as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupView {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How its chats find their agents.
    pub routing_strategy: RoutingStrategy,
    /// Whether it takes the chats that name no group.
    pub is_default: bool,
    /// Its agents.
    pub agent_ids: Vec<AgentId>,
    /// The sequence of its last event.
    pub version: Sequence,
    /// Whether it was deleted; left out of the answer when not.
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
