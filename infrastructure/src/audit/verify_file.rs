//! Proves an export from the file alone.

use std::io::{self, BufRead};

use application::ports::{Epoch, Hash, Position};
use sha2::{Digest as _, Sha256};

use super::export::{FORMAT, Head, Opening};
use super::format::{Format, Line, SignedHead};
use super::key::PublicKey;
use super::record::AuditRecord;
use crate::event_log::chain::GENESIS;
use crate::event_log::{Broken, ChainWalk, Damage};

/// No line of an export is longer, in bytes.
const LONGEST_LINE: u64 = 64 << 20;

/// An export that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedExport {
    /// Which history it is.
    pub epoch: Epoch,
    /// The first position.
    pub from: Position,
    /// The last position.
    pub to: Position,
    /// The log's chain hash at the last position.
    pub chain_hash: Hash,
    /// The number of proved events.
    pub events: u64,
    /// Whether events were left out.
    pub filtered: bool,
    /// How many of them have lost their payload by erasure.
    pub erased: u64,
    /// The first erased payload whose erasure is not recorded in this export. It may be recorded after its end.
    pub unvouched: Option<Position>,
    /// The key that has signed it.
    pub signer: PublicKey,
}

/// Why an export is not proved.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// An event is not what was recorded.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// It is not the beginning of an export.
    #[error("this is no export of an audit log")]
    NoExport,
    /// It comes from a later version of this program.
    #[error("the export has format {format}, which this version does not know")]
    LaterFormat {
        /// The format's number in the opening line.
        format: u32,
    },
    /// It ends without a head.
    #[error("the export ends after position {position} without a signed head: it was cut off")]
    NoHead {
        /// The last position that was proved.
        position: Position,
    },
    /// The head says something else than the lines before it.
    #[error("the signed head does not fit the export that ends at position {position}")]
    Head {
        /// The last position that was proved.
        position: Position,
    },
    /// The signature was not made with the key that the file names.
    #[error("the signature of the head is wrong")]
    Signature,
    /// Something follows the head.
    #[error("something follows the signed head")]
    AfterTheHead,
    /// It cannot be read.
    #[error("the export cannot be read")]
    Read(#[from] io::Error),
}

/// Computes every digest of an export again. `progress` is called now and then with the number of proved events.
///
/// # Errors
/// See [`FileError`].
pub fn verify_file(mut file: impl BufRead, mut progress: impl FnMut(u64)) -> Result<VerifiedExport, FileError> {
    let mut lines = Lines { file: &mut file, digest: Sha256::new(), line: vec![] };
    let (format, opening) = lines.opening()?;
    let mut proof = Proof::new(&opening)?;
    loop {
        let before: Hash = lines.digest.clone().finalize().into();
        let position = proof.walk.position();
        let Some(line) = lines.next()? else { return Err(FileError::NoHead { position }) };
        match format.read(line) {
            Ok(Line::Event(record)) => proof.event(*record)?,
            // The signature does not cover how the line is written, so it must be written as the exporter would.
            Ok(Line::Head(head)) if format.head(&head)? != line => return Err(FileError::Head { position }),
            Ok(Line::Head(head)) => {
                let verified = proof.head(&opening, &head, before)?;
                return if lines.next()?.is_none() { Ok(verified) } else { Err(FileError::AfterTheHead) };
            }
            // A file that was cut off ends in the middle of a line.
            Err(_) if !line.ends_with(b"\n") => return Err(FileError::NoHead { position }),
            Ok(Line::Columns | Line::Opening(_)) | Err(_) => {
                return Err(Broken { position: position + 1, damage: Damage::Unreadable }.into());
            }
        }
        // With the first, too: it shows that the work has begun.
        if proof.events % 1_000 == 1 {
            progress(proof.events);
        }
    }
}

struct Lines<'a, R> {
    file: &'a mut R,
    digest: Sha256,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<'_, R> {
    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let read = io::Read::take(&mut *self.file, LONGEST_LINE).read_until(b'\n', &mut self.line)?;
        self.digest.update(&self.line);
        Ok((read > 0).then_some(&self.line))
    }

    fn opening(&mut self) -> Result<(Format, Opening), FileError> {
        let first = self.next()?.ok_or(FileError::NoExport)?;
        let format = Format::of(first).ok_or(FileError::NoExport)?;
        let mut line = format.read(first);
        if matches!(line, Ok(Line::Columns)) {
            line = format.read(self.next()?.ok_or(FileError::NoExport)?);
        }
        let Ok(Line::Opening(opening)) = line else { return Err(FileError::NoExport) };
        let format_of: Result<Opening, _> = serde_json::from_str(opening.get());
        let opening = format_of.map_err(|_| later_format(opening.get()))?;
        if opening.format == FORMAT { Ok((format, opening)) } else { Err(later(opening.format)) }
    }
}

const fn later(format: u32) -> FileError {
    FileError::LaterFormat { format }
}

fn later_format(opening: &str) -> FileError {
    #[derive(serde::Deserialize)]
    struct Any {
        format: u32,
    }
    match serde_json::from_str::<Any>(opening) {
        Ok(any) if any.format > FORMAT => later(any.format),
        _ => FileError::NoExport,
    }
}

struct Proof {
    walk: ChainWalk,
    filtered: bool,
    events: u64,
}

impl Proof {
    fn new(opening: &Opening) -> Result<Self, FileError> {
        let Opening { from, previous_hash, filter, .. } = opening;
        if *from < 1 || (*from == 1 && previous_hash.0 != GENESIS) {
            return Err(Broken { position: *from, damage: Damage::Chain }.into());
        }
        Ok(Self { walk: ChainWalk::after(from - 1, previous_hash.0), filtered: filter.is_some(), events: 0 })
    }

    fn event(&mut self, record: AuditRecord) -> Result<(), FileError> {
        let next = self.walk.position() + 1;
        let unreadable = Broken { position: next, damage: Damage::Unreadable };
        if let Some(previous) = record.previous_hash {
            if !self.filtered || record.position <= next {
                return Err(Broken { position: next, damage: Damage::Chain }.into());
            }
            self.walk.skip_to(record.position - 1, previous.0);
        }
        self.walk.step(&record.evidence().ok_or(unreadable)?)?;
        self.events += 1;
        Ok(())
    }

    fn head(self, opening: &Opening, signed: &SignedHead, file: Hash) -> Result<VerifiedExport, FileError> {
        let position = self.walk.position();
        let wrong = || FileError::Head { position };
        let signer: PublicKey = signed.public_key.parse().map_err(|_| FileError::Signature)?;
        if !signer.verifies(signed.head.get(), &signed.signature) {
            return Err(FileError::Signature);
        }
        let head: Head = serde_json::from_str(signed.head.get()).map_err(|_| wrong())?;
        let ends_here = head.to == position && head.hash.0 == self.walk.chain_hash();
        let ends_later = self.filtered && head.to > position;
        let fits = head.epoch == opening.epoch && head.events == self.events && head.file.0 == file;
        if !fits || !(ends_here || ends_later) {
            return Err(wrong());
        }
        Ok(VerifiedExport {
            epoch: head.epoch,
            from: opening.from,
            to: head.to,
            chain_hash: head.hash.0,
            events: self.events,
            filtered: self.filtered,
            erased: self.walk.erased(),
            unvouched: self.walk.first_unvouched(),
            signer,
        })
    }
}
