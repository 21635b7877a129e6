//! Statements that insert many rows at once.

use crate::database::SqlValue;

/// The numbers of rows or values in one statement: few sizes, so that a connection's cache of prepared statements stays
/// small.
pub const CHUNKS: [usize; 5] = [256, 64, 16, 4, 1];

/// The most bytes that the texts of a statement's rows have, where it holds more than one row: a server takes no statement
/// of any length, and one that is written out is twice as long.
const MOST_BYTES: usize = 1 << 20;

/// `?, ?, ?` for `count` values, as in `IN (?, ?, ?)`.
#[must_use]
pub fn placeholders(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// Cuts rows into statements with their values.
pub(crate) fn chunked(table: &str, columns: &[&str], rows: Vec<Vec<SqlValue>>) -> Vec<(String, Vec<SqlValue>)> {
    let mut statements = Vec::new();
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let fits = |size: &usize| rows.as_slice().get(..*size).is_some_and(|rows| bytes(rows) <= MOST_BYTES);
        let size = CHUNKS.into_iter().find(fits).unwrap_or(1);
        let values = rows.by_ref().take(size).flatten().collect();
        statements.push((statement(table, columns, size), values));
    }
    statements
}

fn bytes(rows: &[Vec<SqlValue>]) -> usize {
    rows.iter().flatten().map(SqlValue::len).sum()
}

fn statement(table: &str, columns: &[&str], rows: usize) -> String {
    let row = format!("({})", placeholders(columns.len()));
    format!("INSERT INTO {table} ({}) VALUES {}", columns.join(", "), vec![row; rows].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_a_few_sizes_and_keep_their_order() {
        let rows: Vec<_> = (0..343).map(|row| vec![SqlValue::Int(row), SqlValue::Null]).collect();
        let statements = chunked("t", &["a", "b"], rows.clone());
        let sizes: Vec<_> = statements.iter().map(|(_, values)| values.len() / 2).collect();
        assert_eq!(sizes, [256, 64, 16, 4, 1, 1, 1]);
        assert_eq!(statements.into_iter().flat_map(|(_, values)| values).collect::<Vec<_>>(), rows.concat());
    }

    #[test]
    fn statement_of_many_rows_has_a_megabyte_at_most() {
        let text = |bytes| vec![SqlValue::Text("x".repeat(bytes))];
        let sizes = |rows| chunked("t", &["a"], rows).iter().map(|(_, values)| values.len()).collect::<Vec<_>>();
        assert_eq!(sizes(vec![text(MOST_BYTES / 64); 64]), [64]);
        assert_eq!(sizes(vec![text(MOST_BYTES / 64 + 1); 64]), [16; 4]);
        assert_eq!(sizes(vec![text(1), text(MOST_BYTES), text(MOST_BYTES + 1), text(1)]), [1; 4]);
    }

    #[test]
    fn statement_names_its_columns() {
        assert_eq!(statement("t", &["a", "b"], 2), "INSERT INTO t (a, b) VALUES (?, ?), (?, ?)");
    }
}
