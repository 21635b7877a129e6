use application::ports::Position;

use super::{ConversationFilter, ConversationView};
use crate::PageRequest;
use crate::cursor::{self, CursorError};

/// Which conversations come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConversationOrder {
    /// Those that began last.
    #[default]
    Newest,
    /// Those that began first.
    Oldest,
    /// Only those that wait, and those first that began to wait first.
    LongestWaiting,
}

impl ConversationOrder {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Newest, Self::Oldest, Self::LongestWaiting];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::LongestWaiting => "longest_waiting",
        }
    }

    /// The order with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == name)
    }

    /// The cursor of the list that goes on after this conversation.
    pub(super) fn encode(self, filter: &ConversationFilter, last: &ConversationView) -> String {
        let position = match self {
            Self::Newest | Self::Oldest => last.created_position,
            Self::LongestWaiting => last.waiting_position.unwrap_or_default(),
        };
        cursor::encode(&self.list(filter), position)
    }

    pub(super) fn decode(
        self,
        filter: &ConversationFilter,
        request: &PageRequest,
    ) -> Result<Option<Position>, CursorError> {
        cursor::decode(&self.list(filter), request.cursor.as_deref())
    }

    fn list(self, filter: &ConversationFilter) -> String {
        let order = self.as_str();
        match filter.fingerprint() {
            None => format!("conversations:{order}"),
            Some(filter) => format!("conversations:{order}:{filter}"),
        }
    }

    /// The column whose values are in this order.
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Newest | Self::Oldest => "created_position",
            Self::LongestWaiting => "waiting_position",
        }
    }

    pub(super) const fn comparison(self) -> &'static str {
        match self {
            Self::Newest => "<",
            Self::Oldest | Self::LongestWaiting => ">",
        }
    }

    pub(super) const fn direction(self) -> &'static str {
        match self {
            Self::Newest => "DESC",
            Self::Oldest | Self::LongestWaiting => "ASC",
        }
    }

    /// What every position comes after.
    pub(super) const fn beginning(self) -> Position {
        match self {
            Self::Newest => Position::MAX,
            Self::Oldest | Self::LongestWaiting => 0,
        }
    }
}
