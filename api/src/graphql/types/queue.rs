use async_graphql::{ID, SimpleObject};
use serde::Deserialize;

use super::DateTime;

/// A waiting chat.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueuedChat {
    /// The chat's id.
    pub conversation_id: ID,
    /// The group whose queue the chat is in.
    pub group_id: ID,
    /// The position in that queue, from 1.
    pub queue_position: i32,
    /// The time at which the chat began to wait.
    pub waiting_since: DateTime,
    /// The number of failed assignments.
    pub attempts: i32,
    /// The time of the router's next attempt; if null, the router tries again at the next change.
    pub next_attempt_at: Option<DateTime>,
    /// The reason why the last attempt failed.
    pub last_error: Option<String>,
}

/// Statistics of a group's queue.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueStats {
    /// The group that owns the queue.
    pub group_id: ID,
    /// The number of waiting chats.
    pub waiting: i32,
    /// The time for which the first chat has waited, in seconds.
    pub longest_wait_seconds: i32,
    /// The time of the router's next attempt for a chat whose assignment failed; other chats wait for a change.
    pub next_attempt_at: Option<DateTime>,
}
