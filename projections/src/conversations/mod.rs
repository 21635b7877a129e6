//! Conversations and their state: the serving agent, the queue position, the end.

mod abandoned;
mod bounds;
mod counts;
mod filter;
mod list;
mod order;
mod projector;
mod queries;
mod readers;
mod row;
mod tags;
#[cfg(test)]
mod tests;
mod time_range;
mod view;
mod waiting;

pub use abandoned::AbandonedChat;
pub use counts::ConversationCounts;
pub use filter::{ConversationFilter, Visibility};
pub use order::ConversationOrder;
pub use projector::ConversationsProjector;
pub use queries::ConversationQueries;
pub use readers::{ReaderKind, SeenUpTo};
pub use view::{ConversationView, VisitorView};
pub use waiting::WaitingChat;

pub(crate) use bounds::ListBounds;
pub(crate) use counts::COUNTS_TABLE;
pub(crate) use row::ConversationRow;
pub(crate) use tags::TAGS_TABLE;
pub(crate) use time_range::CLOCK_TABLE;
