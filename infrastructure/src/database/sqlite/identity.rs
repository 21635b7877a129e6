//! Whether the file at the path is still the one that was opened.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::database::DatabaseError;

/// A file, however it is called: a file that is moved over another one, or made again under its name, is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The file at the path now; none if there is none.
    fn at(path: &Path) -> Option<Self> {
        // Looked at, not opened: closing it would release the locks of SQLite.
        let metadata = fs::metadata(path).ok()?;
        Some(Self { device: metadata.dev(), inode: metadata.ino() })
    }
}

/// The file that was opened, and its path.
#[derive(Clone, Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    id: FileId,
}

impl OpenFile {
    /// Call it when the file is open. An exchange before that is not noticed.
    pub(super) fn at(path: &Path) -> Result<Self, DatabaseError> {
        let id = FileId::at(path).ok_or(DatabaseError::Exchanged)?;
        Ok(Self { path: path.to_owned(), id })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses to go on with a file that nobody finds under its path: what is written to it is lost with the process, and
    /// another connection opens another file.
    pub(super) fn ensure_in_place(&self) -> Result<(), DatabaseError> {
        if FileId::at(&self.path) == Some(self.id) { Ok(()) } else { Err(DatabaseError::Exchanged) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_that_was_moved_exchanged_or_removed_is_not_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (folder.path().join("log.db"), folder.path().join("elsewhere"));
        assert!(OpenFile::at(&path).is_err());
        fs::write(&path, "one").unwrap();
        let open = OpenFile::at(&path).unwrap();
        fs::write(&path, "more in the same file").unwrap();
        open.ensure_in_place().unwrap();
        fs::rename(&path, &elsewhere).unwrap();
        assert!(open.ensure_in_place().is_err());
        fs::write(&path, "one").unwrap();
        assert!(matches!(open.ensure_in_place(), Err(DatabaseError::Exchanged)));
        fs::rename(&elsewhere, &path).unwrap();
        open.ensure_in_place().unwrap();
    }
}
