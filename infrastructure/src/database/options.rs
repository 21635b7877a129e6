//! How to connect.

use std::time::Duration;

/// How a database is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// The most pooled connections to MySQL. SQLite has a fixed number.
    pub pool_size: u32,
    /// How long a call waits for a free connection, or for SQLite's writer, before it fails.
    pub acquire_timeout: Duration,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self { pool_size: 16, acquire_timeout: Duration::from_secs(5) }
    }
}
