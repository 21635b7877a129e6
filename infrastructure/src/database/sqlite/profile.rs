//! Settings of the writing connection that differ between kinds of work.

use rusqlite::Connection;

use super::connection::set;
use crate::database::DatabaseError;

/// A kind of work. One connection does all of it: a commit of another one would make it read its pages again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::database) enum Profile {
    /// Commits of the log and single statements, which are on disk when they return.
    Log,
    /// Short transactions of views. A power cut may lose them together with their checkpoint; then they are projected
    /// again.
    View,
    /// Transactions of views that may write many rows, such as those of a rebuild, and statements whose loss does no harm.
    Bulk,
    /// Migrations and whatever else needs a session.
    Session,
}

/// The values of the pragmas.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Settings {
    synchronous: &'static str,
    /// The pages of 4 KiB in the write-ahead log before a commit moves them into the file.
    wal_autocheckpoint: &'static str,
    temp_store: &'static str,
}

impl Profile {
    const fn settings(self) -> Settings {
        match self {
            // 16 MiB: a page that many commits change is written into the file once. With SQLite's own 1,000 pages that
            // was a tenth of the work; undoing a statement of many rows in a temporary file was another tenth.
            Self::Log => Settings { synchronous: "FULL", wal_autocheckpoint: "4096", temp_store: "MEMORY" },
            Self::View => Settings { synchronous: "NORMAL", wal_autocheckpoint: "4096", temp_store: "MEMORY" },
            // With SQLite's own 1,000, a rebuild wrote every page twice and took a quarter longer.
            Self::Bulk => Settings { synchronous: "NORMAL", wal_autocheckpoint: "16384", temp_store: "MEMORY" },
            // Making an index sorts everything in it, which must not happen in memory.
            Self::Session => Settings { synchronous: "FULL", wal_autocheckpoint: "4096", temp_store: "DEFAULT" },
        }
    }

    /// Sets up a new connection.
    pub(super) fn set_up(self, connection: &Connection) -> Result<(), DatabaseError> {
        let Settings { synchronous, wal_autocheckpoint, temp_store } = self.settings();
        set(connection, "synchronous", synchronous)?;
        set(connection, "wal_autocheckpoint", wal_autocheckpoint)?;
        set(connection, "temp_store", temp_store)
    }

    /// Changes what differs.
    pub(super) fn change_from(self, before: Self, connection: &Connection) -> Result<(), DatabaseError> {
        let (old, new) = (before.settings(), self.settings());
        if old.synchronous != new.synchronous {
            set(connection, "synchronous", new.synchronous)?;
        }
        if old.wal_autocheckpoint != new.wal_autocheckpoint {
            set(connection, "wal_autocheckpoint", new.wal_autocheckpoint)?;
        }
        if old.temp_store != new.temp_store {
            set(connection, "temp_store", new.temp_store)?;
        }
        Ok(())
    }
}
