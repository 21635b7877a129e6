//! Opaque cursors: the name of a list with its order, and the position of its last item.
//!
//! Lists are in the order in which their items came into the log. That place never changes and later items always come
//! after it, so that paging neither skips nor repeats an item while others are added.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A cursor was not given by this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// It is no cursor at all.
    #[error("cursor is malformed: send the nextCursor of a page as it was")]
    Malformed,
    /// It comes from a list of other things or in another order.
    #[error("cursor belongs to another list or order")]
    OtherList,
}

/// The cursor that continues after `position`.
#[must_use]
pub fn encode(list: &str, position: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{position}"))
}

/// The position after which the cursor continues; none without a cursor.
///
/// # Errors
/// See [`CursorError`].
pub fn decode(list: &str, cursor: Option<&str>) -> Result<Option<i64>, CursorError> {
    let Some(cursor) = cursor else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| CursorError::Malformed)?;
    let text = String::from_utf8(bytes).map_err(|_| CursorError::Malformed)?;
    let (name, position) = text.rsplit_once(':').ok_or(CursorError::Malformed)?;
    let position = position.parse().map_err(|_| CursorError::Malformed)?;
    if name == list { Ok(Some(position)) } else { Err(CursorError::OtherList) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_gives_its_position_back_to_its_own_list_only() {
        let cursor = encode("agents", 42);
        assert_eq!(decode("agents", Some(&cursor)), Ok(Some(42)));
        assert_eq!(decode("groups", Some(&cursor)), Err(CursorError::OtherList));
        assert_eq!(decode("agents", None), Ok(None));
    }

    #[test]
    fn malformed_cursors_are_told() {
        let not_a_number = URL_SAFE_NO_PAD.encode("agents:x");
        let too_large = URL_SAFE_NO_PAD.encode("agents:9223372036854775808");
        let not_text = URL_SAFE_NO_PAD.encode([0xff, 0xfe]);
        let no_position = URL_SAFE_NO_PAD.encode("agents");
        for bad in ["", "%%%", "' OR 1=1", "\u{0}", &not_a_number, &too_large, &not_text, &no_position] {
            assert_eq!(decode("agents", Some(bad)), Err(CursorError::Malformed), "{bad:?}");
        }
    }
}
