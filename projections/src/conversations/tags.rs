//! The tags of conversations, as rows of lists.

use std::collections::BTreeSet;

use application::ports::Position;
use domain::ids::{AgentId, EntityId, GroupId, TagId};
use domain::time::Timestamp;
use infrastructure::database::{DatabaseError, Transaction};
use infrastructure::sql_args;

use super::ConversationRow;
use crate::table::ViewTable;

pub(crate) const TAGS_TABLE: ViewTable = ViewTable {
    name: "conversation_tags",
    columns: &["tag_id", "created_position", "status", "group_id", "listed_agent_id", "created_us"],
};

/// A row: the tag, the conversation, and what lists of them are filtered by.
type TagRow = (TagId, Position, &'static str, GroupId, Option<AgentId>, Timestamp);

fn rows(conversation: &ConversationRow) -> BTreeSet<TagRow> {
    let ConversationRow { created_position, status, group_id, created_at, .. } = *conversation;
    let row =
        |tag_id| (tag_id, created_position, status.as_str(), group_id, conversation.listed_agent_id(), created_at);
    conversation.tag_ids.iter().copied().map(row).collect()
}

/// Notes the changes of conversations in the rows of their tags.
pub(super) async fn save<'a>(
    tx: &mut Transaction,
    changes: impl Iterator<Item = (Option<&'a ConversationRow>, &'a ConversationRow)>,
) -> Result<(), DatabaseError> {
    const REMOVE: &str = "DELETE FROM conversation_tags WHERE tag_id = ? AND created_position = ?";
    let mut added = vec![];
    let mut removed = vec![];
    for (stored, now) in changes {
        let (stored, now) = (stored.map(rows).unwrap_or_default(), rows(now));
        added.extend(now.difference(&stored).copied());
        removed.extend(stored.difference(&now).copied());
    }
    for (tag_id, conversation, ..) in removed {
        tx.enqueue(REMOVE, sql_args![tag_id.uuid(), conversation]).await?;
    }
    let values = added.into_iter().map(|(tag_id, conversation, status, group_id, agent_id, at)| {
        sql_args![tag_id.uuid(), conversation, status, group_id.uuid(), agent_id.map(EntityId::uuid), at]
    });
    tx.insert_many(TAGS_TABLE.name, TAGS_TABLE.columns, values.collect()).await
}
