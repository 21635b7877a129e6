//! The file that an address names.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::database::DatabaseError;

/// What may be done with a file, by SQLite's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// `ro`: it exists, and is only read.
    ReadOnly,
    /// It exists, and nobody can change it: it lies on a medium that is only read. SQLite needs no file next to it.
    Immutable,
    /// `rw`: it exists.
    ReadWrite,
    /// `rwc`: it is created unless it exists.
    Created,
}

/// The file that an address names.
pub(crate) fn path(url: &str) -> Result<PathBuf, DatabaseError> {
    parse(url).map(|(path, _)| path)
}

pub(super) fn parse(url: &str) -> Result<(PathBuf, Mode), DatabaseError> {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    // Connections would not share a database in memory.
    if path.is_empty() || path.starts_with(':') {
        return Err(DatabaseError::Address("sqlite needs the path of a file"));
    }
    let mode = match parameters {
        "" | "mode=rwc" => Mode::Created,
        "mode=rw" => Mode::ReadWrite,
        "mode=ro" => Mode::ReadOnly,
        // Ignoring an unknown parameter would break its promise.
        _ => return Err(DatabaseError::Address("sqlite:PATH takes no parameter but mode=ro, mode=rw or mode=rwc")),
    };
    Ok((PathBuf::from(path), mode))
}

/// The mode in which a file can be opened where it lies: one whose folder cannot be written has no room for the files of a
/// write-ahead log. Without such a log, it is whole as it is.
///
/// # Errors
/// When there is a write-ahead log that cannot be read without writing.
pub(super) fn mode_for(path: &Path, mode: Mode) -> Result<Mode, DatabaseError> {
    if access(folder_of(path), Access::WRITE_OK).is_ok() || !path.exists() {
        return Ok(mode);
    }
    match with_suffix(path, "-wal").metadata() {
        Ok(log) if log.len() > 0 => Err(DatabaseError::Address(
            "the file has a write-ahead log (-wal): its folder has to be writable, or copy both files to one that is",
        )),
        Ok(_) | Err(_) => Ok(Mode::Immutable),
    }
}

/// The file, or one next to it, or its folder, if this user may not write it. A missing one is no hindrance.
#[must_use]
pub fn unwritable_place(path: &Path) -> Option<PathBuf> {
    let places = [path.to_owned(), with_suffix(path, "-wal"), with_suffix(path, "-shm"), folder_of(path).to_owned()];
    let is_there = path.exists();
    places.into_iter().find(|place| is_there && place.exists() && access(place, Access::WRITE_OK).is_err())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Creates the file, unless it exists, with access for its owner only; SQLite gives the files alongside it the same rights.
/// An existing file is not opened: closing it would release the locks that SQLite may hold on it elsewhere in this process.
pub(super) fn create_private(path: &Path) -> Result<(), DatabaseError> {
    match OpenOptions::new().append(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(sqlx::Error::Io(error).into()),
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_what_follows_the_scheme() {
        assert_eq!(path("sqlite:data/log.db").unwrap(), PathBuf::from("data/log.db"));
        for parameters in ["", "?mode=ro", "?mode=rw", "?mode=rwc"] {
            assert_eq!(path(&format!("sqlite:///var/log.db{parameters}")).unwrap(), PathBuf::from("/var/log.db"));
        }
        for parameters in ["?cache=shared", "?mode=memory", "?mode=ro&immutable=1"] {
            let refused = path(&format!("sqlite:///var/log.db{parameters}"));
            assert!(matches!(refused, Err(DatabaseError::Address(_))), "{parameters}");
        }
    }

    #[test]
    fn database_in_memory_is_refused() {
        assert!(matches!(path("sqlite::memory:"), Err(DatabaseError::Address(_))));
    }
}
