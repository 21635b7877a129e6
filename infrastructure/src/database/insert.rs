//! Statements that insert many rows at once.

use super::SqlValue;

/// The numbers of rows a statement: few, so that a connection's cache of prepared statements stays small.
const CHUNKS: [usize; 5] = [256, 64, 16, 4, 1];

/// `?, ?, ?` for `count` values, as in `IN (?, ?, ?)`.
#[must_use]
pub fn placeholders(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// Cuts rows into statements with their values.
pub(super) fn chunked(table: &str, columns: &[&str], rows: Vec<Vec<SqlValue>>) -> Vec<(String, Vec<SqlValue>)> {
    let mut statements = Vec::new();
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let size = CHUNKS.into_iter().find(|size| *size <= rows.len()).unwrap_or(1);
        let values = rows.by_ref().take(size).flatten().collect();
        statements.push((statement(table, columns, size), values));
    }
    statements
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
    fn statement_names_its_columns() {
        assert_eq!(statement("t", &["a", "b"], 2), "INSERT INTO t (a, b) VALUES (?, ?), (?, ?)");
    }
}
