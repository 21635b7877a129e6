//! Statements that are sent to the database together.

use super::literal::push_statement;
use crate::database::{Dialect, SqlValue};

/// What the smallest server takes at once; `check` demands it.
const SMALLEST_PACKET: usize = 4 << 20;

/// Statements with their values, each with its semicolon. The database ends at the first one that fails.
pub(crate) struct Script {
    dialect: Dialect,
    text: String,
    /// How many of them give a row that nobody asked for.
    checks: usize,
}

impl Script {
    /// Begins a write transaction.
    pub(crate) fn begin(dialect: Dialect) -> Self {
        let mut script = Self { dialect, text: String::new(), checks: 0 };
        script.push(dialect.begin(), &[]);
        script
    }

    pub(crate) fn push(&mut self, statement: &str, values: &[SqlValue]) {
        push_statement(&mut self.text, statement, values, self.dialect);
        self.text.push(';');
    }

    /// Makes it end here unless the statement before affected (found, for an update) so many rows.
    pub(crate) fn check(&mut self, rows: u64) {
        // The result is no number of its type when the count is another one: SQLite's smallest integer has no absolute
        // value, MySQL's unsigned integers end at 0. Both refuse to compute it.
        let check = match self.dialect {
            Dialect::Mysql => format!("SELECT CAST(ROW_COUNT() = {rows} AS UNSIGNED) - 1"),
            Dialect::Sqlite => format!("SELECT abs(-9223372036854775807 - (changes() <> {rows}))"),
        };
        self.push(&check, &[]);
        self.checks += 1;
    }

    /// In bytes.
    pub(crate) const fn len(&self) -> usize {
        self.text.len()
    }

    /// Empties it. Gives the statements, and how many rows of checks come before those of a query at their end.
    pub(crate) fn take(&mut self) -> (String, usize) {
        debug_assert!(self.text.len() < SMALLEST_PACKET, "{} bytes are too many for some servers", self.text.len());
        (std::mem::take(&mut self.text), std::mem::take(&mut self.checks))
    }
}
