//! Secrets that are made once and kept in a file that only its owner may read.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// The byte order mark that some editors put at the beginning of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A secret as it is meant: without a byte order mark, and without the ends of lines after it. Every secret is read this
/// way, from wherever it comes.
#[must_use]
pub fn clean(secret: &[u8]) -> &[u8] {
    let secret = secret.strip_prefix(BYTE_ORDER_MARK).unwrap_or(secret);
    let end = secret.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    &secret[..end]
}

/// Reads the secret that a file holds.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path).map(|secret| clean(&secret).to_vec())
}

/// Reads the secret that is kept at a path, or keeps a new one there; of two that start at once, both end with the same.
///
/// # Errors
/// What `make` says, or what `failed` makes of a file that cannot be used.
pub fn read_or_make<E>(
    path: &Path,
    make: impl FnOnce() -> Result<String, E>,
    failed: impl Fn(io::Error) -> E,
) -> Result<Vec<u8>, E> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found.map_err(failed),
    }
    let secret = make()?;
    match keep(path, &secret) {
        Ok(()) => Ok(secret.into_bytes()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(path).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

/// The file appears under its name only when it is whole, and only where there is none.
fn keep(path: &Path, secret: &str) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(secret.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn secret(path: &Path, new: &str) -> io::Result<String> {
        let bytes = read_or_make(path, || Ok(new.to_owned()), |error| error)?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn secret_is_made_once_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        assert_eq!(secret(&path, "first").unwrap(), "first");
        assert_eq!(secret(&path, "second").unwrap(), "first");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left over");
    }

    #[test]
    fn ends_of_lines_and_byte_order_marks_are_no_part_of_a_secret() {
        for (kept, meant) in [
            ("secret", "secret"),
            ("secret\n", "secret"),
            ("secret\r\n\r\n", "secret"),
            ("\u{feff}secret\n", "secret"),
            (" two\nlines \n", " two\nlines "),
            ("\n", ""),
            ("", ""),
        ] {
            assert_eq!(clean(kept.as_bytes()), meant.as_bytes(), "{kept:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "kept by hand\n").unwrap();
        assert_eq!(secret(&path, "new").unwrap(), "kept by hand");
        assert_eq!(read(&path).unwrap(), b"kept by hand");
    }

    #[test]
    fn those_who_start_at_once_get_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let all = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|n| {
                    scope.spawn({
                        let path = &path;
                        move || secret(path, &n.to_string())
                    })
                })
                .collect();
            starts.into_iter().map(|start| start.join().unwrap().unwrap()).collect::<Vec<_>>()
        });
        assert!(all.iter().all(|secret| *secret == all[0]), "{all:?}");
    }

    #[test]
    fn file_that_cannot_be_used_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert!(secret(&folder.path().join("nowhere/secret"), "x").is_err());
        assert!(secret(folder.path(), "x").is_err());
    }
}
