//! Writes a part of the log with its proof.

use std::io::{self, Write};

use application::ports::{Epoch, Hash, LogHead, Position};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;
use sha2::{Digest as _, Sha256};

use super::filter::{AuditFilter, Moment, positions_between};
use super::format::{Format, SignedHead};
use super::key::AuditKey;
use super::record::{AuditRecord, HexHash};
use crate::database::{Database, DatabaseError};
use crate::event_log::chain::GENESIS;
use crate::event_log::{
    Broken, ChainWalk, Damage, VerifyError, ensure_vouched, evidence_after, nothing_outside, read_head,
};
use crate::sql_args;

/// Which part of the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExportRange {
    /// Where it begins; the beginning of the log if nothing is said.
    pub from: Option<Moment>,
    /// Where it ends, included; the end of the log at the start of the export if nothing is said.
    pub to: Option<Moment>,
}

/// What was exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportSummary {
    /// The first position.
    pub from: Position,
    /// The last position; before the first when nothing lies in between.
    pub to: Position,
    /// How many events were written.
    pub events: u64,
    /// The time of the last event of the log.
    pub recorded_at: Timestamp,
}

/// Why an export has no head.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log is not whole there. The export ends before it and is not signed.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The database does not work.
    #[error("the log cannot be read")]
    Database(#[from] DatabaseError),
    /// The export cannot be written.
    #[error("the export cannot be written")]
    Write(#[from] io::Error),
    /// There is no event at the position from which to begin.
    #[error("the log ends at position {end}, before position {from}")]
    BeyondTheEnd {
        /// Where it should begin.
        from: Position,
        /// Where the log ends.
        end: Position,
    },
}

impl ExportError {
    fn from_verify(error: VerifyError) -> Self {
        match error {
            VerifyError::Broken(broken) => broken.into(),
            VerifyError::Database(error) => error.into(),
            VerifyError::NotTheNoted { position } => Broken { position, damage: Damage::Chain }.into(),
        }
    }
}

/// What an export is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Opening {
    /// The version of this form.
    pub(super) format: u32,
    /// Which history it is.
    pub(super) epoch: Epoch,
    /// The first position.
    pub(super) from: Position,
    /// The hash before it.
    pub(super) previous_hash: HexHash,
    /// What events had to be like; nothing when all of them are there.
    pub(super) filter: Option<serde_json::Value>,
}

/// Where it ends.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Head {
    /// Which history it is.
    pub(super) epoch: Epoch,
    /// The last position that was looked at.
    pub(super) to: Position,
    /// The log's chain hash at that position.
    pub(super) hash: HexHash,
    /// How many events were written.
    pub(super) events: u64,
    /// SHA-256 of all bytes before the line of the head.
    pub(super) file: HexHash,
}

/// The version of the form.
pub(super) const FORMAT: u32 = 1;

/// Writes a part of the log. Every event is verified before it is written; `progress` is called with each position that
/// has been looked at, and with the last one.
///
/// # Errors
/// See [`ExportError`].
pub async fn export(
    database: &Database,
    (range, filter): (ExportRange, &AuditFilter),
    (format, key): (Format, &AuditKey),
    out: &mut (impl Write + Send),
    mut progress: impl FnMut(Position, Position) + Send,
) -> Result<ExportSummary, ExportError> {
    let end = read_head(database).await?;
    let (from, to) = positions_between(database, range.from, range.to, end.position).await?;
    if from > end.position + 1 {
        return Err(ExportError::BeyondTheEnd { from, end: end.position });
    }
    let to = to.max(from - 1);
    nothing_outside(database).await.map_err(ExportError::from_verify)?;
    let previous = hash_before(database, from).await?;
    let filter_text =
        if filter.is_empty() { None } else { Some(serde_json::to_value(filter).map_err(io::Error::from)?) };
    let opening =
        Opening { format: FORMAT, epoch: end.epoch, from, previous_hash: HexHash(previous), filter: filter_text };
    let mut writer = ExportWriter { out, digest: Sha256::new(), format, events: 0, left_out: None };
    writer.opening(&opening)?;
    let mut walk = ChainWalk::after(from - 1, previous);
    while walk.position() < to {
        for event in evidence_after(database, walk.position(), to).await? {
            let event = event?;
            walk.step(&event)?;
            if filter.matches(&event.header) {
                let record = AuditRecord::new(event);
                writer.event(record.map_err(|_| Broken { position: walk.position(), damage: Damage::Payload })?)?;
            } else {
                writer.left_out = Some(walk.chain_hash());
            }
        }
        progress(walk.position(), to);
    }
    check_end(database, walk.clone(), &end).await?;
    let head = Head {
        epoch: end.epoch,
        to,
        hash: HexHash(walk.chain_hash()),
        events: writer.events,
        file: HexHash(writer.digest.clone().finalize().into()),
    };
    let events = writer.finish(&head, key)?;
    Ok(ExportSummary { from, to, events, recorded_at: end.recorded_at })
}

struct ExportWriter<'a, W> {
    out: &'a mut W,
    digest: Sha256,
    format: Format,
    events: u64,
    /// The hash of the last event, when it was left out.
    left_out: Option<Hash>,
}

impl<W: Write> ExportWriter<'_, W> {
    fn opening(&mut self, opening: &Opening) -> io::Result<()> {
        self.write(&self.format.opening(to_raw_value(opening)?)?)
    }

    fn event(&mut self, mut record: AuditRecord) -> io::Result<()> {
        record.previous_hash = self.left_out.take().map(HexHash);
        self.events += 1;
        self.write(&self.format.event(&record)?)
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.digest.update(line);
        self.out.write_all(line)
    }

    fn finish(self, head: &Head, key: &AuditKey) -> io::Result<u64> {
        let head = to_raw_value(head)?;
        let signature = key.sign(head.get());
        let signed = SignedHead { head, public_key: key.public_key().to_string(), signature };
        self.out.write_all(&self.format.head(&signed)?)?;
        self.out.flush()?;
        Ok(self.events)
    }
}

/// What follows the range must fit, or its time may have been changed to keep events out. At the end of the log, the head
/// must fit, and every erasure must be recorded.
async fn check_end(database: &Database, mut walk: ChainWalk, end: &LogHead) -> Result<(), ExportError> {
    let position = walk.position();
    if position < end.position {
        for next in evidence_after(database, position, position + 1).await? {
            walk.step(&next?)?;
        }
        return Ok(());
    }
    if walk.chain_hash() != end.chain_hash {
        return Err(Broken { position, damage: Damage::End }.into());
    }
    ensure_vouched(database, walk).await.map_err(ExportError::from_verify)
}

/// The hash before a position, from an event that fits the one before it: its time may have been what was looked for.
async fn hash_before(database: &Database, from: Position) -> Result<Hash, ExportError> {
    if from < 2 {
        return Ok(GENESIS);
    }
    let mut walk = ChainWalk::after(from - 2, hash_at(database, from - 2).await?);
    for event in evidence_after(database, from - 2, from - 1).await? {
        walk.step(&event?)?;
    }
    Ok(walk.chain_hash())
}

async fn hash_at(database: &Database, position: Position) -> Result<Hash, ExportError> {
    if position == 0 {
        return Ok(GENESIS);
    }
    let row = database.fetch_optional("SELECT chain_hash FROM events WHERE position = ?", sql_args![position]).await?;
    let row = row.ok_or(Broken { position, damage: Damage::Missing })?;
    Ok(row.hash("chain_hash").map_err(DatabaseError::from)?)
}
