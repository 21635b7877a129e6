//! What the views' statements have in common.

use infrastructure::database::{Row, RowError};
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};

/// The numbers of values a statement: few, so that a connection's cache of prepared statements stays small.
const CHUNKS: [usize; 5] = [256, 64, 16, 4, 1];

/// Cuts values into parts of a few sizes, in their order.
pub(crate) fn chunks<T>(mut values: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|size| *size <= values.len())?;
        let (chunk, rest) = values.split_at(size);
        values = rest;
        Some(chunk)
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

/// What matches `text` anywhere with `LIKE ? ESCAPE '!'`, in a column of lower case.
pub(crate) fn containing(text: &str) -> String {
    let escaped = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
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
    fn wildcards_in_a_search_stand_for_themselves() {
        assert_eq!(containing("50%_Off!"), "%50!%!_off!!%");
    }
}
