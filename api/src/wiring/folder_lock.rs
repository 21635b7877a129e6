use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::backoff::Backoff;
use application::ports::{Clock, Ids};
use infrastructure::database::Database;
use rustix::fs::OFlags;

use super::StartError;
use crate::config::Settings;

/// Keeps other processes out of an embedded database and its data folder until it is dropped.
pub struct FolderLock {
    _files: Vec<File>,
    database: Option<DatabaseLock>,
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
        let Some(database) = Database::file(&settings.database_url) else {
            return Ok(Self { _files: vec![], database: None });
        };
        let folder = settings.data_dir.clone();
        ensure_folder(settings)?;
        // A database outside the data folder may be used with two data folders, and through links.
        let in_use = || StartError::FileInUse { file: database.clone() };
        let named = fs::canonicalize(&database).unwrap_or_else(|_| database.clone());
        let mut lock_file = named.into_os_string();
        lock_file.push(".lock");
        let of_folder = lock(&folder.join("lock"), || StartError::FolderInUse { folder: folder.clone() })?;
        let of_database = lock(Path::new(&lock_file), in_use)?;
        let mut taken = Self { _files: vec![of_folder, of_database], database: None };
        taken.take_database(settings)?;
        Ok(taken)
    }

    /// Takes the lock of the database file itself, under whatever name and in whatever container another process has it.
    /// Call it again after the file was created.
    pub(super) fn take_database(&mut self, settings: &Settings) -> Result<(), StartError> {
        let Some(file) = Database::file(&settings.database_url).filter(|file| file.is_file()) else { return Ok(()) };
        if self.database.is_none() {
            self.database = DatabaseLock::take(&file)?;
        }
        Ok(())
    }
}

/// Opens a lock file of the user's own, and follows no link: whatever it leads to must stay as it is.
fn lock(path: &Path, in_use: impl FnOnce() -> StartError) -> Result<File, StartError> {
    let failed = |source| StartError::Lock { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(flags(OFlags::NOFOLLOW));
    let file = options.open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(in_use()),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn flags(flags: OFlags) -> i32 {
    i32::try_from(flags.bits()).unwrap_or_default()
}

/// The device and the inode of a file.
type FileId = (u64, u64);

/// The database files that this process has opened to lock them. Closing one would release the locks that SQLite holds on
/// it in this process (fcntl(2)), so they stay open, one descriptor for each file.
static OPENED: Mutex<Option<HashMap<FileId, File>>> = Mutex::new(None);

/// A lock by flock(2), which SQLite does not use, on the database file.
struct DatabaseLock(FileId);

impl DatabaseLock {
    /// `None`: this file system has no such locks.
    fn take(path: &Path) -> Result<Option<Self>, StartError> {
        let failed = |source| StartError::Lock { path: path.to_owned(), source };
        let id = fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).map_err(failed)?;
        let mut opened = opened();
        let opened = opened.get_or_insert_default();
        // Nobody can open a removed file again.
        opened.retain(|_, file| file.metadata().is_ok_and(|metadata| metadata.nlink() > 0));
        let file = match opened.entry(id) {
            std::collections::hash_map::Entry::Occupied(file) => file.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => place.insert(File::open(path).map_err(failed)?),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(id))),
            Err(TryLockError::WouldBlock) => Err(StartError::FileInUse { file: path.to_owned() }),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

impl Drop for DatabaseLock {
    fn drop(&mut self) {
        let opened = opened();
        if let Some(Err(error)) = opened.as_ref().and_then(|opened| Some(opened.get(&self.0)?.unlock())) {
            tracing::warn!(error = &error as &dyn std::error::Error, "the lock of the database is not released");
        }
    }
}

fn opened() -> MutexGuard<'static, Option<HashMap<FileId, File>>> {
    OPENED.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_file_is_locked_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chat.db");
        fs::write(&file, "a database").unwrap();
        let names: [std::path::PathBuf; 2] = [folder.path().join("hard"), folder.path().join("soft")];
        fs::hard_link(&file, &names[0]).unwrap();
        std::os::unix::fs::symlink(&file, &names[1]).unwrap();
        let held = DatabaseLock::take(&file).unwrap().unwrap();
        // Another process has a descriptor of its own.
        for name in &names {
            let other = File::open(name).unwrap();
            assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)), "{}", name.display());
        }
        drop(held);
        let other = File::open(&names[1]).unwrap();
        other.try_lock().unwrap();
        assert!(matches!(DatabaseLock::take(&names[0]), Err(StartError::FileInUse { .. })));
    }

    #[test]
    fn lock_file_is_private_and_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let in_use = || StartError::FolderInUse { folder: folder.path().to_owned() };
        assert!(matches!(lock(&link, in_use), Err(StartError::Lock { .. })));
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
        let own = folder.path().join("lock");
        fs::write(&own, "kept").unwrap();
        drop(lock(&own, in_use).unwrap());
        assert_eq!(fs::read_to_string(&own).unwrap(), "kept");
        fs::remove_file(&own).unwrap();
        drop(lock(&own, in_use).unwrap());
        assert_eq!(fs::metadata(&own).unwrap().mode() & 0o777, 0o600);
    }
}
