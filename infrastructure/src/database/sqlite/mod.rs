//! SQLite: one thread that writes, and connections that read alongside it.

mod address;
mod connection;
mod foreign_wal;
mod identity;
mod profile;
mod readers;
mod session;
mod snapshot;
mod transaction;
mod writer;

use std::fmt;
use std::time::Duration;

use super::row::Row;
use super::statements::Statement;
use super::{DatabaseError, DatabaseOptions, SqlValue};
pub(super) use address::path;
pub use address::unwritable_place;
use address::{Mode, create_private};
pub(crate) use connection::is_foreign;
pub use foreign_wal::has_foreign_wal;
use profile::Profile;
use readers::Readers;
pub(super) use session::SqliteSession;
pub(super) use snapshot::SqliteSnapshot;
pub(super) use transaction::SqliteTransaction;
use writer::Writer;

/// How long SQLite waits for a lock of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the writer waits for readers before it gives up emptying the write-ahead log.
const WAIT_FOR_READERS: Duration = Duration::from_millis(500);

/// The SQLite that this program is linked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqliteVersion {
    /// Such as 3054001 for 3.54.1.
    pub number: i32,
}

impl SqliteVersion {
    /// The first release without the WAL-reset bug: before it, a committed transaction may be lost, or the file damaged,
    /// when several connections write and checkpoint (<https://sqlite.org/wal.html>).
    pub const FIRST_SAFE: Self = Self { number: 3_051_003 };

    /// The linked one. It is older than the bundled one when the build uses a library of the system.
    #[must_use]
    pub fn linked() -> Self {
        Self { number: rusqlite::version_number() }
    }

    /// Whether it may lose committed transactions.
    #[must_use]
    pub const fn is_unsafe(self) -> bool {
        self.number < Self::FIRST_SAFE.number
    }
}

impl fmt::Display for SqliteVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.number / 1_000_000, self.number / 1_000 % 1_000, self.number % 1_000)
    }
}

/// An open file.
pub(crate) struct Sqlite {
    readers: Readers,
    writer: Writer,
}

impl Sqlite {
    pub(crate) async fn open(url: &str, options: DatabaseOptions) -> Result<Self, DatabaseError> {
        let (file, mode) = address::parse(url)?;
        let mode = address::mode_for(&file, mode)?;
        if mode == Mode::Created {
            create_private(&file)?;
        }
        let (writer, file) = Writer::start(&file, mode, options.acquire_timeout).await?;
        Ok(Self { readers: Readers::new(file, mode, options.acquire_timeout), writer })
    }

    /// Whether the file at the path is another one than that which is open, or none.
    pub(crate) fn was_exchanged(&self) -> bool {
        self.readers.file().ensure_in_place().is_err()
    }

    pub(crate) async fn fetch_all(&self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        self.readers.fetch_all(sql, args).await
    }

    pub(crate) async fn execute(&self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        Ok(self.writer.execute(Statement::new(sql, args), Profile::Log).await?.count)
    }

    pub(crate) async fn execute_unflushed(&self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        Ok(self.writer.execute(Statement::new(sql, args), Profile::Bulk).await?.count)
    }

    /// A transaction that begins with what it sends first.
    pub(crate) fn transaction(&self) -> SqliteTransaction {
        SqliteTransaction::new(self.writer.clone())
    }

    pub(crate) fn session(&self) -> SqliteSession {
        SqliteSession::new(self.writer.clone())
    }

    pub(crate) async fn snapshot(&self) -> Result<SqliteSnapshot, DatabaseError> {
        SqliteSnapshot::take(&self.readers).await
    }

    /// Waits for the last transaction and the last query. The writer ends after the last clone of the database is dropped.
    pub(crate) async fn close(&self) {
        drop(self.writer.turn(Profile::Log).await);
        self.readers.close().await;
    }

    /// See [`Writer::empty_wal`].
    pub(crate) async fn empty_wal(&self) -> Result<bool, DatabaseError> {
        self.writer.empty_wal().await
    }
}

#[cfg(test)]
mod tests;
