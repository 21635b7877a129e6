use crate::database::{DatabaseError, RowError};

/// How many tables an error names.
const SHOWN_TABLES: usize = 8;

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A newer program has worked on this database.
    #[error("the database's schema is at version {found}, this program knows {known}: it needs a newer program")]
    Newer {
        /// The version in the database.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// A step that was carried out is not the one this program holds.
    #[error("migration {name} is not the one that this database was set up with")]
    Changed {
        /// The step.
        name: &'static str,
    },
    /// The database is another program's, or holds half of an import.
    #[error(
        "the database holds tables that livechatlog has not made, or half of an import: {}; it needs a database of its own",
        shown(tables)
    )]
    Foreign {
        /// Their names.
        tables: Vec<String>,
    },
    /// An import has broken off, or somebody has removed tables.
    #[error("the store lacks tables that it was set up with: {}; an import into it may have broken off", shown(tables))]
    Incomplete {
        /// Their names.
        tables: Vec<String>,
    },
    /// An import has broken off, or somebody has removed the row.
    #[error("the log holds events, but not its end (log_head): an import into it may have broken off")]
    Headless,
    /// Another program is at it and does not finish.
    #[error("another program brings this database up to date, or restores a backup into it")]
    Locked,
    /// The system gives no random numbers.
    #[error("no random numbers")]
    Random(#[source] getrandom::Error),
    /// The database does not work.
    #[error("migration failed")]
    Database(#[from] DatabaseError),
}

impl From<RowError> for MigrateError {
    fn from(error: RowError) -> Self {
        Self::Database(error.into())
    }
}

fn shown(tables: &[String]) -> String {
    let more = tables.len().saturating_sub(SHOWN_TABLES);
    let names = tables[..tables.len() - more].join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}
