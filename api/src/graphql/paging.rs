//! Pages as Relay's connections, forward only. Their cursors are those of the other doors.

use async_graphql::{ComplexObject, Error, SimpleObject};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::errors::error_of;
use super::types::{Agent, AssignmentRecord, AuditEvent, Conversation, Group, QueuedChat, Tag, ThreadEvent, shown};
use crate::service::reading::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::service::rows::{Page, PageRequest};
use crate::service::{Code, FieldError, Fields, Refusal};

/// A page of a list.
#[derive(Clone, Debug, SimpleObject)]
pub struct PageInfo {
    /// Whether another page follows.
    pub has_next_page: bool,
    /// Whether the page is not the first one. Lists are read forward only.
    pub has_previous_page: bool,
    /// Always null: lists are read forward only.
    pub start_cursor: Option<String>,
    /// The `after` of the next page; null on the last page.
    pub end_cursor: Option<String>,
}

/// A page with its place in the list.
pub(super) struct Part<T> {
    nodes: Vec<T>,
    page_info: PageInfo,
}

/// The arguments of a list.
#[derive(Clone, Debug)]
pub(super) struct Paging {
    first: Option<i32>,
    after: Option<String>,
}

impl Paging {
    pub(super) const fn new(first: Option<i32>, after: Option<String>) -> Self {
        Self { first, after }
    }

    /// The most items of the page.
    pub(super) fn limit(&self, fields: &mut Fields) -> Option<u32> {
        let limit = self.first.map_or(Some(DEFAULT_LIMIT), |first| u32::try_from(first).ok());
        let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.or_else(|| fields.refuse("first", format!("must be a number from 1 to {MAX_LIMIT}")))
    }

    /// The page, when nothing of the request is wrong.
    pub(super) fn page(&self, mut fields: Fields) -> Result<PageRequest, Refusal> {
        let limit = self.limit(&mut fields);
        Ok(PageRequest { cursor: self.after.clone(), limit: fields.finish_with(limit)? })
    }

    /// The number of a list whose cursors are numbers, such as positions.
    pub(super) fn number(&self, fields: &mut Fields) -> Option<i64> {
        let parsed = self.after.as_ref()?.parse().ok().filter(|number| *number >= 0);
        parsed.or_else(|| fields.refuse("after", "must be the endCursor of a page"))
    }

    /// The page as a connection shows it.
    pub(super) fn part<R: Serialize, T: DeserializeOwned>(&self, page: &Page<R>) -> Result<Part<T>, Error> {
        let nodes = page.data.iter().map(shown).collect::<Result<_, _>>()?;
        Ok(self.part_of(nodes, page.next_cursor.clone()))
    }

    pub(super) fn part_of<T>(&self, nodes: Vec<T>, end_cursor: Option<String>) -> Part<T> {
        let (has_next_page, has_previous_page) = (end_cursor.is_some(), self.after.is_some());
        Part { nodes, page_info: PageInfo { has_next_page, has_previous_page, start_cursor: None, end_cursor } }
    }
}

/// The error of a list, in the words of this door: the cursor is its argument `after`.
pub(super) fn error_of_list(mut refusal: Refusal) -> Error {
    if refusal.code == Code::InvalidRequest {
        let of_cursor = |error: &&mut FieldError| error.field == "cursor";
        refusal.fields.iter_mut().filter(of_cursor).for_each(|error| error.field = "after".to_owned());
    }
    error_of(&refusal)
}

macro_rules! connections {
    ($($connection:ident, $edge:ident: $node:ty, $doc:literal;)+) => {$(
        #[doc = $doc]
        #[derive(Clone, Debug, SimpleObject)]
        #[graphql(complex)]
        pub struct $connection {
            /// The items, in the order of the list.
            pub nodes: Vec<$node>,
            /// Where the page ends.
            pub page_info: PageInfo,
        }

        #[ComplexObject]
        impl $connection {
            /// The items with their cursors.
            async fn edges(&self) -> Vec<$edge> {
                let last = self.nodes.len().saturating_sub(1);
                let cursor = |place| self.page_info.end_cursor.clone().filter(|_| place == last);
                let edge = |(place, node): (usize, &$node)| $edge { node: node.clone(), cursor: cursor(place) };
                self.nodes.iter().enumerate().map(edge).collect()
            }
        }

        impl From<Part<$node>> for $connection {
            fn from(Part { nodes, page_info }: Part<$node>) -> Self {
                Self { nodes, page_info }
            }
        }

        #[doc = $doc]
        #[derive(Clone, Debug, SimpleObject)]
        pub struct $edge {
            /// The item.
            pub node: $node,
            /// The `after` of the next page; null for an item after which no page begins.
            pub cursor: Option<String>,
        }
    )+};
}

connections! {
    AgentConnection, AgentEdge: Agent, "Agents.";
    GroupConnection, GroupEdge: Group, "Groups.";
    TagConnection, TagEdge: Tag, "Tags.";
    ConversationConnection, ConversationEdge: Conversation, "Conversations.";
    ThreadEventConnection, ThreadEventEdge: ThreadEvent, "Messages and system events.";
    ConversationAssignmentConnection, ConversationAssignmentEdge: AssignmentRecord, "Assignments, returns and closings.";
    QueuedChatConnection, QueuedChatEdge: QueuedChat, "Waiting chats.";
    AuditEventConnection, AuditEventEdge: AuditEvent, "Events of the log.";
}
