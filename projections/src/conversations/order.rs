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
}

impl ConversationOrder {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
        }
    }

    /// The order with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Newest, Self::Oldest].into_iter().find(|order| order.as_str() == name)
    }

    pub(super) fn encode(self, position: i64) -> String {
        cursor::encode(self.list(), position)
    }

    pub(super) fn decode(self, request: &PageRequest) -> Result<Option<i64>, CursorError> {
        cursor::decode(self.list(), request.cursor.as_deref())
    }

    const fn list(self) -> &'static str {
        match self {
            Self::Newest => "conversations:newest",
            Self::Oldest => "conversations:oldest",
        }
    }

    pub(super) const fn comparison(self) -> &'static str {
        match self {
            Self::Newest => "<",
            Self::Oldest => ">",
        }
    }

    pub(super) const fn direction(self) -> &'static str {
        match self {
            Self::Newest => "DESC",
            Self::Oldest => "ASC",
        }
    }

    /// What every position comes after.
    pub(super) const fn beginning(self) -> i64 {
        match self {
            Self::Newest => i64::MAX,
            Self::Oldest => 0,
        }
    }
}
