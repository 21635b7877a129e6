//! Taking a backup of a database that is in use.

use std::io::{self, BufWriter, Write};

use application::ports::{LogHead, Position};
use domain::time::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::mpsc;
use tokio::task::JoinError;

use super::format::{End, FORMAT, Hashing, Line, Opening};
use super::tables::{KEPT, KeptRow, KeptTable};
use crate::audit::{AuditRecord, HexHash};
use crate::database::{Database, DatabaseError, ReadSnapshot};
use crate::event_log::{Broken, ChainWalk, Damage, Evidence, evidence_in, read_head_in};
use crate::sql_args;

/// How many rows are read at once.
const PAGE: usize = 1_000;

/// How many pages are read ahead of those that are written.
const AHEAD: usize = 2;

/// The content of a finished backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// What it was taken of.
    pub opening: Opening,
    /// How many rows of other tables are in it.
    pub rows: u64,
}

/// Why a backup was not taken.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The log is not whole.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The database does not work.
    #[error("the database cannot be read")]
    Database(#[from] DatabaseError),
    /// The file cannot be written.
    #[error("the backup cannot be written")]
    Write(#[from] io::Error),
    /// The task that writes has ended.
    #[error("the task that writes the backup has ended")]
    Task(#[from] JoinError),
}

/// Some of what goes into the file.
enum Page {
    Rows(Vec<KeptRow>),
    Events(Vec<Evidence>),
}

/// Writes one state of the database, and gives back what was written to. Others go on reading and writing meanwhile.
/// Every event is verified before it is written; `progress` is called with each position that has been read, and with the
/// last one.
///
/// # Errors
/// See [`WriteError`].
pub async fn backup<W: Write + Send + 'static>(
    database: &Database,
    out: W,
    mut progress: impl FnMut(Position, Position) + Send,
) -> Result<(BackupSummary, W), WriteError> {
    let mut snapshot = database.snapshot().await?;
    let head = read_head_in(&mut snapshot).await?;
    let opening = opening(&mut snapshot, database.now_micros(), &head).await?;
    let (pages, written) = mpsc::channel(AHEAD);
    let writer = Writer { opening: opening.clone(), pages: written };
    let writing = tokio::task::spawn_blocking(move || writer.write(out));
    let read = read(&mut snapshot, &head, &pages, &mut progress).await;
    drop(pages);
    let written = writing.await?;
    // What ended the reading matters more than a file that ends too early for it.
    read?;
    let (rows, out) = written?;
    Ok((BackupSummary { opening, rows }, out))
}

async fn opening(snapshot: &mut ReadSnapshot, now: &str, head: &LogHead) -> Result<Opening, DatabaseError> {
    let sql = format!("SELECT {now} AS now, (SELECT MAX(version) FROM schema_migrations) AS version");
    let rows = snapshot.fetch_all(&sql, vec![]).await?;
    let int = |column| rows.first().map(|row| row.int(column)).transpose().map(Option::unwrap_or_default);
    Ok(Opening {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        schema: int("version")?,
        taken_at: Timestamp::from_micros(int("now")?),
        epoch: head.epoch,
        position: head.position,
        hash: HexHash(head.chain_hash),
        recorded_at: head.recorded_at,
    })
}

/// Sends everything to the writer. It ends early when nobody receives: the writer knows why.
async fn read(
    snapshot: &mut ReadSnapshot,
    head: &LogHead,
    pages: &mpsc::Sender<Page>,
    progress: &mut (impl FnMut(Position, Position) + Send),
) -> Result<(), WriteError> {
    for table in &KEPT {
        if !read_table(snapshot, table, pages).await? {
            return Ok(());
        }
    }
    let mut position = 0;
    while position < head.position {
        let found = evidence_in(snapshot, position, head.position).await?;
        let events = found.into_iter().collect::<Result<Vec<_>, _>>()?;
        position = events.last().map_or(head.position, |event| event.header.position);
        if pages.send(Page::Events(events)).await.is_err() {
            return Ok(());
        }
        progress(position, head.position);
    }
    nothing_beyond(snapshot, head).await
}

async fn read_table(
    snapshot: &mut ReadSnapshot,
    table: &KeptTable,
    pages: &mpsc::Sender<Page>,
) -> Result<bool, DatabaseError> {
    let select = table.select(PAGE);
    let mut after = String::new();
    loop {
        let rows = snapshot.fetch_all(&select, sql_args![&after]).await?;
        let Some(last) = rows.last() else { return Ok(true) };
        after = last.text(table.key)?;
        let rows = rows.iter().map(|row| table.read(row)).collect::<Result<_, _>>()?;
        if pages.send(Page::Rows(rows)).await.is_err() {
            return Ok(false);
        }
    }
}

/// Events outside of what the head names were not appended but put there.
async fn nothing_beyond(snapshot: &mut ReadSnapshot, head: &LogHead) -> Result<(), WriteError> {
    const OUTSIDE: &str = "SELECT position FROM events WHERE position < 1 OR position > ? LIMIT 1";
    let rows = snapshot.fetch_all(OUTSIDE, sql_args![head.position]).await?;
    match rows.first() {
        Some(row) => {
            let position = row.int("position").map_err(DatabaseError::from)?;
            Err(Broken { position, damage: Damage::Surplus }.into())
        }
        None => Ok(()),
    }
}

/// Verifies, compresses and writes, on a thread of its own.
struct Writer {
    opening: Opening,
    pages: mpsc::Receiver<Page>,
}

impl Writer {
    fn write<W: Write>(mut self, out: W) -> Result<(u64, W), WriteError> {
        let mut zip = GzEncoder::new(Hashing::new(BufWriter::new(out)), Compression::fast());
        line(&mut zip, &self.opening)?;
        let mut walk = ChainWalk::from_the_beginning();
        let mut rows = 0;
        while let Some(page) = self.pages.blocking_recv() {
            match page {
                Page::Rows(page) => {
                    for row in page {
                        rows += 1;
                        line(&mut zip, &Line::Row(row))?;
                    }
                }
                Page::Events(page) => {
                    for event in page {
                        line(&mut zip, &Line::Event(Box::new(verified(&mut walk, event)?)))?;
                    }
                }
            }
        }
        self.opening.ensure_whole(&walk)?;
        let events = u64::try_from(walk.position()).unwrap_or_default();
        line(&mut zip, &Line::End(End { rows, events }))?;
        let out = zip.finish()?.close()?;
        Ok((rows, out.into_inner().map_err(io::IntoInnerError::into_error)?))
    }
}

/// The record of an event that is what was recorded, byte for byte.
fn verified(walk: &mut ChainWalk, event: Evidence) -> Result<AuditRecord, WriteError> {
    walk.step(&event)?;
    let lengths = (event.payload.len(), event.metadata.len());
    let unreadable = Broken { position: walk.position(), damage: Damage::Unreadable };
    let record = AuditRecord::new(event).map_err(|_| unreadable)?;
    // White space around a JSON text would be lost.
    if (record.payload.get().len(), record.metadata.get().len()) == lengths {
        Ok(record)
    } else {
        Err(unreadable.into())
    }
}

fn line(out: &mut impl Write, line: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
