//! What the views' statements have in common.

use infrastructure::database::{CHUNKS, Row, RowError};
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};

use crate::text::fold;

/// Cuts values into parts of a few sizes, in their order.
pub(crate) fn chunks<T>(mut values: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|size| *size <= values.len())?;
        let (chunk, rest) = values.split_at(size);
        values = rest;
        Some(chunk)
    })
}

/// The same for `IN (…)`, in fewer parts: one that has no such size is filled up with what it holds already.
pub(crate) fn filled_chunks<T: Clone>(values: &[T]) -> impl Iterator<Item = Vec<T>> {
    values.chunks(CHUNKS[0]).map(|chunk| {
        let size = CHUNKS.into_iter().rev().find(|size| *size >= chunk.len()).unwrap_or(CHUNKS[0]);
        chunk.iter().cycle().take(size).cloned().collect()
    })
}

/// A name on the wire, such as a status.
pub(crate) fn named<T: DeserializeOwned>(row: &Row, column: &str, expected: &'static str) -> Result<T, RowError> {
    let name: StrDeserializer<'_, Error> = row.str(column)?.into_deserializer();
    T::deserialize(name).map_err(|_| unexpected(column, expected))
}

/// A JSON document that is kept as text.
pub(crate) fn document<T: DeserializeOwned>(row: &Row, column: &str, expected: &'static str) -> Result<T, RowError> {
    serde_json::from_str(row.str(column)?).map_err(|_| unexpected(column, expected))
}

/// A text that is not what the column should hold.
pub(crate) fn unexpected(column: &str, expected: &'static str) -> RowError {
    RowError::Type { column: column.to_owned(), found: "text".to_owned(), expected }
}

/// What matches `text` anywhere with `LIKE ? ESCAPE '!'`, in a column without case and accents. None when it is nothing but
/// accents, which would match everything.
pub(crate) fn containing(text: &str) -> Option<String> {
    let folded = fold(text);
    let escaped = folded.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    (!folded.trim().is_empty()).then(|| format!("%{escaped}%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cut_into_a_few_sizes_and_keep_their_order() {
        let values: Vec<_> = (0..406).collect();
        let sizes: Vec<_> = chunks(&values).map(<[_]>::len).collect();
        assert_eq!(sizes, [256, 64, 64, 16, 4, 1, 1]);
        assert_eq!(chunks(&values).collect::<Vec<_>>().concat(), values);
    }

    #[test]
    fn values_for_a_list_are_filled_up_to_a_few_sizes() {
        let values: Vec<_> = (0..262).collect();
        let found: Vec<_> = filled_chunks(&values).collect();
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [256, 16]);
        assert_eq!(found[0], values[..256]);
        assert_eq!(found[1][..7], [256, 257, 258, 259, 260, 261, 256]);
        assert_eq!(filled_chunks::<i32>(&[]).count(), 0);
    }

    #[test]
    fn wildcards_in_a_search_stand_for_themselves() {
        assert_eq!(containing("50%_Off!").as_deref(), Some("%50!%!_off!!%"));
        assert_eq!(containing("Ü％").as_deref(), Some("%u!%%"), "a wide sign is the same sign");
        assert_eq!([containing("\u{301}"), containing("´")], [None, None]);
    }
}
