//! Opening what is stored.

use infrastructure::backup::find_unfinished;
use infrastructure::database::{Database, DatabaseOptions};

use super::{FolderLock, StartError};
use crate::config::Settings;

/// Opens the database and brings its schema to this version.
///
/// # Errors
/// When it cannot be used.
pub async fn open_database(settings: &Settings) -> Result<Database, StartError> {
    let database = Database::connect(&settings.database_url, DatabaseOptions::default()).await?;
    ensure_whole(&database).await?;
    database.migrate().await?;
    // A restore may have begun while this waited for its turn.
    ensure_whole(&database).await?;
    Ok(database)
}

/// Opens a database to restore a backup into, and keeps others out of an embedded one until the lock is dropped.
///
/// # Errors
/// When it cannot be used.
pub async fn open_to_restore(settings: &Settings) -> Result<(Database, FolderLock), StartError> {
    let folder = FolderLock::take(settings)?;
    let database = Database::connect(&settings.database_url, DatabaseOptions::default()).await?;
    Ok((database, folder))
}

async fn ensure_whole(database: &Database) -> Result<(), StartError> {
    match find_unfinished(database).await? {
        Some(_) => Err(StartError::HalfRestored),
        None => Ok(()),
    }
}

/// Opens a database that is there and has this version's schema, and changes nothing about it.
///
/// # Errors
/// When there is none, its schema is older or newer, or it cannot be used.
pub async fn open_as_it_is(settings: &Settings) -> Result<Database, StartError> {
    ensure_file(settings)?;
    let database = Database::connect(&settings.database_url, DatabaseOptions::default()).await?;
    let pending = database.pending_migrations().await?;
    ensure_whole(&database).await?;
    if pending.is_empty() {
        return Ok(database);
    }
    Err(if database.has_table("log_head").await? { StartError::Outdated { pending } } else { StartError::NoTables })
}

/// Before anything is opened that would be made with it.
///
/// # Errors
/// When an embedded database is not there.
pub fn ensure_file(settings: &Settings) -> Result<(), StartError> {
    match Database::file(&settings.database_url) {
        Some(file) if matches!(file.try_exists(), Ok(false)) => Err(StartError::NoDatabase { file }),
        _ => Ok(()),
    }
}
