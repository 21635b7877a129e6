use async_graphql::{ID, SimpleObject};
use serde::Deserialize;

use super::RoutingStrategy;

/// A group of agents.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// A UUID, assigned at the creation.
    pub id: ID,
    /// The group's name.
    pub name: String,
    /// The purpose of the group.
    pub description: Option<String>,
    /// The rule by which the group's chats are assigned to agents.
    pub routing_strategy: RoutingStrategy,
    /// Whether the group serves the chats that name no group.
    pub is_default: bool,
    /// The ids of the group's agents.
    pub agent_ids: Vec<ID>,
    /// The version for `ifMatch`.
    pub version: i32,
    /// Whether the group is deleted.
    #[serde(default)]
    pub deleted: bool,
}

/// A tag for conversations.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tag {
    /// A UUID, assigned at the creation.
    pub id: ID,
    /// The tag's name; unique among tags that are not deleted, regardless of case.
    pub name: String,
    /// The tag's colour as #RRGGBB.
    pub color: Option<String>,
    /// The version for `ifMatch`.
    pub version: i32,
    /// Whether the tag is deleted.
    #[serde(default)]
    pub deleted: bool,
}
