//! Reading a backup, and proving that it is whole.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, BufRead, BufReader, Read, Take};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use application::ports::Position;
use domain::ids::{EntityId as _, EventId};
use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};

use super::format::{End, FORMAT, FormatOnly, Line, Opening, TRAILER, trailer};
use super::tables::{KeptRow, KeptTable};
use crate::database::Database;
use crate::event_log::{Broken, ChainWalk, Damage, Evidence};

/// No line of a backup is longer, in bytes: an append takes 4 MiB.
const LONGEST_LINE: u64 = 8 << 20;

/// Neither its opening nor a row of another table is longer.
const LONGEST_ROW: usize = 64 << 10;

/// Why a backup cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It is something else.
    #[error("this is no backup of livechatlog")]
    NoBackup,
    /// Its end is not one.
    #[error("the backup does not end as it must: it was cut off, changed or added to")]
    NoEnd,
    /// Its bytes are not those that were written.
    #[error("the backup does not have the checksum that it ends with: it was changed")]
    Checksum,
    /// It comes from a later version of this program.
    #[error("the backup was written by version {program} of livechatlog: it needs that version, or a later one")]
    Later {
        /// Which version.
        program: String,
    },
    /// It comes from a much later version.
    #[error("the backup has format {format}, which this version of livechatlog does not know: it needs a later one")]
    LaterFormat {
        /// The format's number in the opening line.
        format: u32,
    },
    /// A line is not what a backup has there.
    #[error("line {line} of the backup is not what was written there")]
    Line {
        /// Its number.
        line: u64,
    },
    /// Rows of other tables are not in the order of their keys, or come twice.
    #[error("line {line} of the backup repeats a row, or is out of order")]
    Order {
        /// Its number.
        line: u64,
    },
    /// Two events have one id, which no database takes.
    #[error("the event at position {position} of the backup has the id of an earlier one")]
    RepeatedEvent {
        /// The position of the later event.
        position: Position,
    },
    /// An event is not what was recorded.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// It cannot be read.
    #[error("the backup cannot be read")]
    Read(#[from] io::Error),
    /// What can be read only once cannot be kept to be read again.
    #[error("the backup cannot be put into a temporary file in {}", folder.display())]
    Spool {
        /// The folder for temporary files.
        folder: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// A backup whose bytes are those that were written.
pub struct BackupFile {
    file: Arc<File>,
    /// Without the trailer, in bytes.
    length: u64,
    opening: Opening,
}

/// What is in a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What it was taken of.
    pub opening: Opening,
    /// How many rows of other tables are in it.
    pub rows: u64,
    /// How many events have lost their payload by erasure.
    pub erased: u64,
}

/// What follows the opening.
pub(super) enum Item {
    Row(KeptRow),
    Event(Box<Evidence>),
}

impl BackupFile {
    /// Reads the whole file and compares its checksum.
    ///
    /// # Errors
    /// See [`BackupError`].
    pub fn open(path: &Path) -> Result<Self, BackupError> {
        Self::of(File::open(path)?)
    }

    /// The same of what can be read only once, such as a pipe: it is kept in a file without a name in this folder, until
    /// the backup is dropped.
    ///
    /// # Errors
    /// See [`BackupError`].
    pub fn spool(mut input: impl Read, folder: &Path) -> Result<Self, BackupError> {
        let mut beginning = vec![];
        Read::take(&mut input, LONGEST_ROW as u64).read_to_end(&mut beginning)?;
        ensure_begins(&beginning)?;
        let kept = tempfile::tempfile_in(folder).and_then(|mut file| {
            io::copy(&mut beginning.as_slice().chain(&mut input), &mut file)?;
            Ok(file)
        });
        Self::of(kept.map_err(|source| BackupError::Spool { folder: folder.to_owned(), source })?)
    }

    fn of(file: File) -> Result<Self, BackupError> {
        let file = Arc::new(file);
        let length = ensure_checksum(&file)?;
        let opening = Lines::over(&file, length).opening()?;
        Ok(Self { file, length, opening })
    }

    /// What it was taken of.
    #[must_use]
    pub const fn opening(&self) -> &Opening {
        &self.opening
    }

    /// Reads everything in it and computes every digest and hash again. `progress` is called now and then with the position
    /// that has been reached, and with the last one.
    ///
    /// # Errors
    /// See [`BackupError`].
    pub fn check(&self, mut progress: impl FnMut(Position, Position)) -> Result<Checked, BackupError> {
        let mut reader = self.reader()?;
        while reader.next()?.is_some() {
            let position = reader.walk.position();
            if position % 1_000 == 0 {
                progress(position, self.opening.position);
            }
        }
        Ok(reader.checked())
    }

    pub(super) fn reader(&self) -> Result<BackupReader, BackupError> {
        let mut lines = Lines::over(&self.file, self.length);
        let opening = lines.opening()?;
        // Somebody may write to it.
        if opening != self.opening {
            return Err(BackupError::Checksum);
        }
        let source = (Arc::clone(&self.file), self.length);
        let (walk, seen) = (ChainWalk::from_the_beginning(), SeenIds::default());
        Ok(BackupReader { lines, source, opening, walk, seen, rows: 0, last_row: None })
    }
}

/// Makes sure that an input begins like a backup, before all of it is kept: it may be something else, without an end.
fn ensure_begins(beginning: &[u8]) -> Result<(), BackupError> {
    let mut line = vec![];
    let read = BufReader::new(GzDecoder::new(beginning)).take(LONGEST_ROW as u64).read_until(b'\n', &mut line);
    let is_opening = read.is_ok() && serde_json::from_slice::<FormatOnly>(&line).is_ok();
    if is_opening { Ok(()) } else { Err(BackupError::NoBackup) }
}

/// How long the part before the trailer is, which the trailer must fit.
fn ensure_checksum(file: &Arc<File>) -> Result<u64, BackupError> {
    let length = file.metadata()?.len();
    let mut magic = [0; 2];
    if file.read_exact_at(&mut magic, 0).is_err() || magic != [0x1f, 0x8b] {
        return Err(BackupError::NoBackup);
    }
    let length = length.checked_sub(TRAILER as u64).ok_or(BackupError::NoEnd)?;
    let mut bytes = Bytes::of(file);
    let mut digest = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    let mut body = Read::take(&mut bytes, length);
    loop {
        match body.read(&mut chunk)? {
            0 => break,
            read => digest.update(&chunk[..read]),
        }
    }
    let mut found = Vec::with_capacity(TRAILER);
    bytes.read_to_end(&mut found)?;
    let expected = trailer(&digest.finalize().into());
    if found == expected {
        return Ok(length);
    }
    let has_its_form = found.len() == TRAILER && found[..16] == expected[..16] && found[48..] == expected[48..];
    Err(if has_its_form { BackupError::Checksum } else { BackupError::NoEnd })
}

/// Reads what follows the opening, in order, and verifies each of it.
pub(super) struct BackupReader {
    lines: Lines,
    /// The file, and its length without the trailer.
    source: (Arc<File>, u64),
    opening: Opening,
    walk: ChainWalk,
    seen: SeenIds,
    rows: u64,
    /// The place of the table of the last row, and its key.
    last_row: Option<(usize, String)>,
}

impl BackupReader {
    /// The next row or event. Nothing comes only after an end that fits all before it.
    pub(super) fn next(&mut self) -> Result<Option<Item>, BackupError> {
        let (text, line) = self.lines.next(LONGEST_LINE)?;
        // Values of a row take far more memory than their text.
        if text.starts_with(b"{\"row\"") && text.len() > LONGEST_ROW {
            return Err(BackupError::Line { line });
        }
        let broken = |position| Broken { position, damage: Damage::Unreadable };
        match serde_json::from_slice(text).map_err(|_| BackupError::Line { line })? {
            Line::Row(row) => {
                let place = KeptTable::place(&row).ok_or(BackupError::Line { line })?;
                // A database would refuse a row that comes twice, only after all before it was written.
                if self.walk.position() > 0 || self.last_row.as_ref().is_some_and(|last| *last >= place) {
                    return Err(BackupError::Order { line });
                }
                self.last_row = Some(place);
                self.rows += 1;
                Ok(Some(Item::Row(row)))
            }
            Line::Event(record) => {
                let evidence = record.evidence().ok_or_else(|| broken(self.walk.position() + 1))?;
                self.walk.step(&evidence)?;
                self.ensure_new(evidence.header.event_id)?;
                Ok(Some(Item::Event(Box::new(evidence))))
            }
            Line::End(end) => self.end(end).map(|()| None),
        }
    }

    /// A database would refuse an id that comes twice, only after all before it was written.
    fn ensure_new(&mut self, id: EventId) -> Result<(), BackupError> {
        if self.seen.insert(id) || !self.came_before(id)? {
            return Ok(());
        }
        Err(BackupError::RepeatedEvent { position: self.walk.position() })
    }

    /// Looks through everything before the present event: two ids may have one hash, if hardly ever.
    fn came_before(&self, id: EventId) -> Result<bool, BackupError> {
        let (file, length) = &self.source;
        let mut lines = Lines::over(file, *length);
        let mut left = self.walk.position() - 1;
        while left > 0 {
            let (text, line) = lines.next(LONGEST_LINE)?;
            match serde_json::from_slice(text) {
                Ok(Line::Event(record)) => {
                    if record.evidence().is_some_and(|evidence| evidence.header.event_id == id) {
                        return Ok(true);
                    }
                    left -= 1;
                }
                Ok(Line::Row(_)) => {}
                Err(_) if line == 1 => {}
                Ok(Line::End(_)) | Err(_) => return Err(BackupError::Line { line }),
            }
        }
        Ok(false)
    }

    pub(super) const fn position(&self) -> Position {
        self.walk.position()
    }

    pub(super) fn checked(&self) -> Checked {
        Checked { opening: self.opening.clone(), rows: self.rows, erased: self.walk.erased() }
    }

    fn end(&mut self, end: End) -> Result<(), BackupError> {
        let position = self.walk.position();
        let events = u64::try_from(position).unwrap_or_default();
        if end != (End { rows: self.rows, events }) || !self.lines.is_at_the_end()? {
            return Err(Broken { position, damage: Damage::End }.into());
        }
        Ok(self.opening.ensure_whole(&self.walk)?)
    }
}

/// The ids of the events so far, as hashes under a random key: whole ids would take twice the memory.
#[derive(Default)]
struct SeenIds {
    hashes: HashSet<u64>,
    key: RandomState,
}

impl SeenIds {
    /// `false` when it may have come before.
    fn insert(&mut self, id: EventId) -> bool {
        self.hashes.insert(self.key.hash_one(id.uuid()))
    }
}

/// A file from its beginning, regardless of its other readers.
struct Bytes {
    file: Arc<File>,
    offset: u64,
}

impl Bytes {
    fn of(file: &Arc<File>) -> Self {
        Self { file: Arc::clone(file), offset: 0 }
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

struct Lines {
    text: BufReader<GzDecoder<BufReader<Take<Bytes>>>>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    fn over(file: &Arc<File>, length: u64) -> Self {
        let zip = GzDecoder::new(BufReader::with_capacity(1 << 16, Bytes::of(file).take(length)));
        Self { text: BufReader::with_capacity(1 << 16, zip), line: vec![], number: 0 }
    }

    /// The next line, which must be there and have at most this number of bytes, and its number.
    fn next(&mut self, longest: u64) -> Result<(&[u8], u64), BackupError> {
        self.number += 1;
        self.line.clear();
        // A long one must not keep its memory.
        self.line.shrink_to(LONGEST_ROW);
        let read = Read::take(&mut self.text, longest).read_until(b'\n', &mut self.line);
        let is_whole = read? > 0 && self.line.ends_with(b"\n");
        if is_whole { Ok((&self.line, self.number)) } else { Err(BackupError::Line { line: self.number }) }
    }

    fn is_at_the_end(&mut self) -> io::Result<bool> {
        Ok(self.text.fill_buf()?.is_empty())
    }

    fn opening(&mut self) -> Result<Opening, BackupError> {
        let (text, _) = self.next(LONGEST_ROW as u64).map_err(|error| match error {
            BackupError::Line { .. } => BackupError::NoBackup,
            error => error,
        })?;
        let FormatOnly { format } = serde_json::from_slice(text).map_err(|_| BackupError::NoBackup)?;
        if format > FORMAT {
            return Err(BackupError::LaterFormat { format });
        }
        let opening: Opening = serde_json::from_slice(text).map_err(|_| BackupError::NoBackup)?;
        match opening.schema > Database::known_schema() {
            true => Err(BackupError::Later { program: opening.program }),
            false => Ok(opening),
        }
    }
}
