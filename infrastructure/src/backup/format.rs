//! How a backup is written down.

use std::io::{self, Write};

use application::ports::{Epoch, Position};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::tables::KeptRow;
use crate::audit::{AuditRecord, HexHash};
use crate::event_log::{Broken, ChainWalk};

/// The version of the form.
pub(super) const FORMAT: u32 = 1;

/// What a backup is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Opening {
    /// The version of the form.
    #[serde(rename = "livechatlogBackup")]
    pub format: u32,
    /// The version of the program that has written it.
    pub program: String,
    /// The version of the schema it was taken from.
    pub schema: i64,
    /// When it was taken, in the database's time.
    pub taken_at: Timestamp,
    /// The history it was taken from.
    pub epoch: Epoch,
    /// The position of the last event.
    pub position: Position,
    /// The chain's hash there.
    pub hash: HexHash,
    /// When the last event was recorded.
    pub recorded_at: Timestamp,
}

impl Opening {
    /// Makes sure that all of the log was walked along, and that it is whole.
    pub(super) fn ensure_whole(&self, walk: &ChainWalk) -> Result<(), Broken> {
        walk.ensure_ends_at((self.position, self.hash.0, self.recorded_at))?;
        walk.ensure_vouched()
    }
}

/// As much of an opening as shows its form.
#[derive(Deserialize)]
pub(super) struct FormatOnly {
    #[serde(rename = "livechatlogBackup")]
    pub(super) format: u32,
}

/// A line after the opening.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Line {
    /// A row of a table outside of the log.
    Row(KeptRow),
    /// The next event.
    Event(Box<AuditRecord>),
    /// Nothing follows.
    End(End),
}

/// What was before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) rows: u64,
    pub(super) events: u64,
}

/// Writes, and computes the digest of what was written.
pub(super) struct Hashing<W> {
    out: W,
    digest: Sha256,
}

impl<W: Write> Hashing<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, digest: Sha256::new() }
    }

    /// Writes the member that closes the file.
    pub(super) fn close(mut self) -> io::Result<W> {
        let trailer = trailer(&self.digest.finalize().into());
        self.out.write_all(&trailer)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// How long the member that closes the file is.
pub(super) const TRAILER: usize = 58;

/// A gzip member (RFC 1952) without content, whose extra field holds the digest.
pub(super) fn trailer(digest: &[u8; 32]) -> [u8; TRAILER] {
    // Magic, deflate, FEXTRA, no time, no flags, unknown system; 36 bytes of extra field, of which 32 are data.
    const HEAD: [u8; 16] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 36, 0, b'L', b'C', 32, 0];
    // An empty last block; checksum and length of nothing.
    const TAIL: [u8; 10] = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut bytes = [0; TRAILER];
    bytes[..16].copy_from_slice(&HEAD);
    bytes[16..48].copy_from_slice(digest);
    bytes[48..].copy_from_slice(&TAIL);
    bytes
}
