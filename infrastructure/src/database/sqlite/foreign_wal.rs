//! Whether the write-ahead log next to a file is the file's own. SQLite cannot distinguish them: it would put the pages of
//! another file's log, such as that of the file which was in this place before, into this one.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::address::{Mode, with_suffix};
use super::connection;
use crate::database::DatabaseError;

const HEAD: &str = "SELECT position, chain_hash, epoch FROM log_head WHERE id = 1";
const HASH: &str = "SELECT chain_hash FROM events WHERE position = ?";
const RESTORES: &str = "SELECT COUNT(*) FROM restores WHERE finished_us IS NULL";
const LATER: &str = "SELECT COUNT(*) FROM events WHERE position > ?";

/// The end of the event log.
struct End {
    position: i64,
    hash: Vec<u8>,
    epoch: String,
}

impl End {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { position: row.get(0)?, hash: row.get(1)?, epoch: row.get(2)? })
    }
}

/// Whether the log of the file, read together with the file next to it, does not go on from the log of the file alone. Where
/// the file alone says nothing, it may be foreign all the same. To be asked before this process opens the file: reading it
/// without its lock ends the locks that the process has on it.
#[must_use]
pub fn has_foreign_wal(file: &Path) -> bool {
    let has_wal = with_suffix(file, "-wal").metadata().is_ok_and(|log| log.len() > 0);
    if !has_wal || !file.exists() {
        return false;
    }
    let alone = connection::open(file, Mode::Immutable).and_then(|file| Ok(end_of(&file)?));
    match alone {
        Ok(Some(end)) => !together(file).is_ok_and(|together| goes_on(&together, &end).unwrap_or(false)),
        // Empty, all in the write-ahead log, or damaged: that is for others to say.
        Ok(None) | Err(_) => false,
    }
}

/// The end of the log in a file alone, if the last event is there.
fn end_of(file: &Connection) -> rusqlite::Result<Option<End>> {
    let end = file.query_row(HEAD, [], End::read)?;
    let last = hash_at(file, end.position)?;
    Ok(Some(end).filter(|end| last.as_ref() == Some(&end.hash)))
}

fn hash_at(file: &Connection, position: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    file.query_row(HASH, [position], |row| row.get(0)).optional()
}

/// Reads only: a connection that writes would mix the two for good when it ends. And reads one moment, as a server may be
/// writing.
fn together(file: &Path) -> Result<Connection, DatabaseError> {
    let together = connection::open(file, Mode::ReadOnly)?;
    together.execute_batch("BEGIN")?;
    Ok(together)
}

fn goes_on(together: &Connection, alone: &End) -> rusqlite::Result<bool> {
    let now = together.query_row(HEAD, [], End::read)?;
    if now.epoch != alone.epoch {
        // A restore that was broken off has begun again.
        return together.query_row(RESTORES, [], |row| Ok(row.get::<_, i64>(0)? > 0));
    }
    let later: i64 = together.query_row(LATER, [alone.position], |row| row.get(0))?;
    let is_there = hash_at(together, alone.position)?.as_ref() == Some(&alone.hash);
    Ok(is_there && now.position == alone.position + later)
}
