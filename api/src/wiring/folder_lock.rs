use std::fs::File;
use std::path::Path;
use std::time::Duration;

use application::backoff::Backoff;
use application::ports::{Clock, Ids};
use infrastructure::database::Database;

use super::StartError;
use crate::config::Settings;

/// Keeps other processes out of an embedded database and its data folder until it is dropped.
pub struct FolderLock {
    _files: Vec<File>,
}

/// The number of attempts to take a lock that another process holds, and the pauses between them: a second in all.
const TRIES: u32 = 15;
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(10), longest: Duration::from_millis(100), jitter: 0.2 };

impl FolderLock {
    /// Takes the lock within a second. Its last holder may just be ending, and a child process that it has forked holds the
    /// lock as well until it executes another program (flock(2)).
    pub(super) async fn wait(settings: &Settings, clock: &dyn Clock, ids: &dyn Ids) -> Result<Self, StartError> {
        for failures in 1..TRIES {
            match Self::take(settings) {
                Err(StartError::FolderInUse { .. } | StartError::FileInUse { .. }) => {
                    BACKOFF.wait(failures, clock, ids).await;
                }
                taken => return taken,
            }
        }
        Self::take(settings)
    }

    pub(super) fn take(settings: &Settings) -> Result<Self, StartError> {
        let Some(database) = Database::file(&settings.database_url) else { return Ok(Self { _files: vec![] }) };
        let folder = settings.data_dir.clone();
        ensure_folder(settings)?;
        // A database outside the data folder may be used with two data folders.
        let mut lock_file = database.clone().into_os_string();
        lock_file.push(".lock");
        let of_folder = lock(&folder.join("lock"), || StartError::FolderInUse { folder: folder.clone() })?;
        let of_database = lock(Path::new(&lock_file), || StartError::FileInUse { file: database.clone() })?;
        Ok(Self { _files: vec![of_folder, of_database] })
    }
}

fn lock(path: &Path, in_use: impl FnOnce() -> StartError) -> Result<File, StartError> {
    let failed = |source| StartError::Lock { path: path.to_owned(), source };
    let file = File::create(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(in_use()),
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Checks that the data folder exists, before a command uses something that would create it.
///
/// # Errors
/// If the folder does not exist.
pub fn ensure_folder(settings: &Settings) -> Result<(), StartError> {
    match settings.data_dir.is_dir() {
        true => Ok(()),
        false => Err(StartError::NoFolder { folder: settings.data_dir.clone() }),
    }
}
