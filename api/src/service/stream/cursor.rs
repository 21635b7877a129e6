use std::fmt;
use std::str::FromStr;

use application::ports::{Epoch, Position};
use uuid::Uuid;

/// A place in one history of the log: `EPOCH:POSITION`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The history.
    pub epoch: Epoch,
    /// The position of the last event that the reader has.
    pub position: Position,
}

/// A text that is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be EPOCH:POSITION")]
pub struct InvalidCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.position)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (epoch, position) = text.split_once(':').ok_or(InvalidCursor)?;
        let epoch = Uuid::try_parse(epoch).map_err(|_| InvalidCursor)?;
        let is_number = !position.is_empty() && position.bytes().all(|byte| byte.is_ascii_digit());
        let position = position.parse().ok().filter(|_| is_number).ok_or(InvalidCursor)?;
        Ok(Self { epoch, position })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_is_read_as_it_is_written() {
        let cursor = Cursor { epoch: Uuid::from_u128(7), position: 42 };
        assert_eq!(cursor.to_string(), "00000000-0000-0000-0000-000000000007:42");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn other_texts_are_refused() {
        let epoch = Uuid::from_u128(7);
        for text in ["", "42", ":42", &format!("{epoch}"), &format!("{epoch}:"), &format!("{epoch}:-1")] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
        }
        for position in ["+1", "1 ", "0x1", "9223372036854775808", "1:1"] {
            assert_eq!(format!("{epoch}:{position}").parse::<Cursor>(), Err(InvalidCursor), "{position}");
        }
    }
}
