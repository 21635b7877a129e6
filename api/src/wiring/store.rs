//! Opens databases and logs.

use std::path::Path;
use std::sync::Arc;

use application::ports::{EventLog, ReadError};
use infrastructure::backup::find_unfinished;
use infrastructure::database::{Database, DatabaseOptions, SqliteVersion, has_foreign_wal, unwritable_place};
use infrastructure::event_log::{LogPorts, SqlEventLog};
use projections::rebuild::Replay;

use super::core::{random_ids, system_clock};
use super::{FolderLock, StartError};
use crate::config::{OldSqlite, Settings};

/// Opens the database and brings its schema to this version.
///
/// # Errors
/// When it cannot be used.
pub async fn open_database(settings: &Settings) -> Result<Database, StartError> {
    if let Some(file) = Database::file(&settings.database_url) {
        ensure_safe(SqliteVersion::linked(), settings.old_sqlite)?;
        ensure_writable(&file)?;
        ensure_own_wal(&file)?;
    }
    let database = Database::connect(&settings.database_url, DatabaseOptions::default()).await?;
    // First: in a database of another program nothing may be looked for under our names.
    database.pending_migrations().await?;
    ensure_whole(&database).await?;
    database.migrate().await?;
    // A restore may have begun while this waited for the migration lock.
    ensure_whole(&database).await?;
    Ok(database)
}

/// Opens a database to restore a backup into. Until the lock is dropped, no other process can use an embedded database.
///
/// # Errors
/// When it cannot be used.
pub async fn open_to_restore(settings: &Settings) -> Result<(Database, FolderLock), StartError> {
    let folder = FolderLock::take(settings)?;
    let database = Database::connect(&settings.database_url, DatabaseOptions::default()).await?;
    Ok((database, folder))
}

fn ensure_safe(found: SqliteVersion, old: OldSqlite) -> Result<(), StartError> {
    match old {
        OldSqlite::Refuse if found.is_unsafe() => Err(StartError::OldSqlite { found }),
        OldSqlite::Allow if found.is_unsafe() => {
            tracing::warn!(%found, "this SQLite may lose committed transactions");
            Ok(())
        }
        OldSqlite::Refuse | OldSqlite::Allow => Ok(()),
    }
}

/// SQLite opens a file that it may not write, and refuses each write later.
fn ensure_writable(file: &Path) -> Result<(), StartError> {
    unwritable_place(file).map_or(Ok(()), |place| Err(StartError::NotWritable { place }))
}

/// The files next to an embedded database belong to it, unless another file was put in its place.
fn ensure_own_wal(file: &Path) -> Result<(), StartError> {
    if has_foreign_wal(file) { Err(StartError::ForeignWal { file: file.to_owned() }) } else { Ok(()) }
}

async fn ensure_whole(database: &Database) -> Result<(), StartError> {
    match find_unfinished(database).await? {
        Some(_) => Err(StartError::HalfRestored),
        None => Ok(()),
    }
}

/// Opens an existing database that has this version's schema, and changes nothing in it.
///
/// # Errors
/// When there is none, when its schema is older or newer, or when it cannot be used.
pub async fn open_as_it_is(settings: &Settings) -> Result<Database, StartError> {
    ensure_file(settings)?;
    let database = Database::connect(&settings.database_url, DatabaseOptions::default()).await?;
    let pending = database.pending_migrations().await?;
    ensure_whole(&database).await?;
    if pending.is_empty() {
        return Ok(database);
    }
    Err(if Database::is_new(&pending) { StartError::NoTables } else { StartError::Outdated { pending } })
}

/// Refuses a missing embedded database, before anything is opened that would create it.
///
/// # Errors
/// When the file does not exist.
pub fn ensure_file(settings: &Settings) -> Result<(), StartError> {
    match Database::file(&settings.database_url) {
        Some(file) if matches!(file.try_exists(), Ok(false)) => Err(StartError::NoDatabase { file }),
        _ => Ok(()),
    }
}

/// The log of an open database, for commands that may run alongside its server.
///
/// # Errors
/// When the log cannot be read.
pub async fn read_log(database: &Database) -> Result<Arc<dyn EventLog>, ReadError> {
    let ports = LogPorts::alone(system_clock(), random_ids());
    Ok(Arc::new(SqlEventLog::start(database.clone(), ports).await?))
}

/// The replay of an open database's views.
///
/// # Errors
/// When the log cannot be read.
pub async fn replay_of(database: &Database) -> Result<Replay, ReadError> {
    let log = read_log(database).await?;
    Ok(Replay::new(database.clone(), log, system_clock(), random_ids()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_sqlite_is_refused_unless_it_is_allowed() {
        let old = SqliteVersion { number: 3_051_002 };
        let refused = ensure_safe(old, OldSqlite::Refuse).unwrap_err();
        assert!(refused.to_string().starts_with("SQLite 3.51.2 may lose committed transactions"), "{refused}");
        assert!(ensure_safe(old, OldSqlite::Allow).is_ok());
        assert!(ensure_safe(SqliteVersion::FIRST_SAFE, OldSqlite::Refuse).is_ok());
        assert!(ensure_safe(SqliteVersion::linked(), OldSqlite::Refuse).is_ok());
    }
}
