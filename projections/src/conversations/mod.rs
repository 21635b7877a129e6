//! Conversations with where they stand: who serves them, where they wait, when they ended.

mod list;
mod order;
mod projector;
mod queries;
mod queue_position;
mod row;
#[cfg(test)]
mod tests;
mod view;

pub use list::{ConversationFilter, Visibility};
pub use order::ConversationOrder;
pub use projector::ConversationsProjector;
pub use queries::ConversationQueries;
pub use view::{ConversationView, VisitorView};

pub(crate) use projector::TAGS_TABLE;
pub(crate) use row::ConversationRow;
