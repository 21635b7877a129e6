//! Statements that are sent to MySQL together: one script costs one round trip.

use super::literal::push_statement;
use super::statement::Statement;
use crate::database::Dialect;

/// The smallest packet limit of a server that the program runs on; `check` demands it.
const SMALLEST_PACKET: usize = 4 << 20;

/// Statements of more bytes are sent at once, whether a caller waits for them or not. The last one comes on top: at most two
/// megabytes of rows, because no single row is larger. Together they stay below the smallest packet limit of a server.
pub(crate) const MOST_ENQUEUED: usize = 1 << 20;

/// Statements with their values, each with its semicolon. The server stops at the first one that fails.
pub(crate) struct Script {
    text: String,
    /// How many of them return a row that no caller asked for.
    checks: usize,
}

impl Script {
    /// Begins a write transaction.
    pub(crate) fn begin() -> Self {
        Self { text: format!("{};", Dialect::Mysql.begin()), checks: 0 }
    }

    /// Adds a statement, and a check of the number of rows if the statement expects one.
    pub(crate) fn push(&mut self, statement: &Statement) {
        push_statement(&mut self.text, &statement.sql, statement.args());
        self.text.push(';');
        if let Some(rows) = statement.expected() {
            self.check(rows);
        }
    }

    /// MySQL stops a script only by an error. Unless the statement before affected (found, for an update) exactly `rows`
    /// rows, this computes `0 - 1` without a sign, which is out of range.
    fn check(&mut self, rows: u64) {
        self.text.push_str(&format!("SELECT CAST(ROW_COUNT() = {rows} AS UNSIGNED) - 1;"));
        self.checks += 1;
    }

    /// In bytes.
    pub(crate) const fn len(&self) -> usize {
        self.text.len()
    }

    /// Empties it. Returns the statements, and how many rows of checks come before the rows of a query at their end.
    pub(crate) fn take(&mut self) -> (String, usize) {
        debug_assert!(self.text.len() < SMALLEST_PACKET, "{} bytes are too many for some servers", self.text.len());
        (std::mem::take(&mut self.text), std::mem::take(&mut self.checks))
    }
}
