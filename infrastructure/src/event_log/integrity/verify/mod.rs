//! Checks that nobody has changed the log.

use application::ports::{Epoch, Hash, LogHead, Position};

use super::chain_walk::{Broken, ChainWalk, Damage, Evidence};
use crate::database::{Database, DatabaseError, ReadSnapshot, Row};
use crate::event_log::head;
use crate::sql_args;

const PAGE: i64 = 1_000;

/// A log that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedLog {
    /// The position of its last event.
    pub position: Position,
    /// The chain hash of the last event.
    pub chain_hash: Hash,
    /// Which history it is.
    pub epoch: Epoch,
    /// How many events have lost their payload by erasure.
    pub erased: u64,
}

/// Why a log could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is not whole.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// It is whole, but not the one that was noted.
    #[error(
        "the log does not have the noted hash at position {position}: it is another log, or its chain was computed again"
    )]
    NotTheNoted {
        /// Where that was noted.
        position: Position,
    },
    /// The database does not work.
    #[error("the log cannot be read")]
    Database(#[from] DatabaseError),
}

/// Reads the log from its beginning to its end of now, and computes every digest again. `progress` is called with each
/// position that has been reached.
///
/// # Errors
/// See [`VerifyError`].
pub async fn verify_chain(
    database: &Database,
    mut progress: impl FnMut(Position) + Send,
) -> Result<VerifiedLog, VerifyError> {
    verify_against(database, None, |position, _| progress(position)).await
}

/// The same, of a log that must also have had this hash at this position: an attacker who can write to the database can
/// compute another chain, but not one through a hash that was noted before. `progress` gets the last position, too.
///
/// # Errors
/// See [`VerifyError`].
pub async fn verify_against(
    database: &Database,
    noted: Option<(Position, Hash)>,
    mut progress: impl FnMut(Position, Position) + Send,
) -> Result<VerifiedLog, VerifyError> {
    let head = head::read(database).await?;
    let mut walk = ChainWalk::from_the_beginning();
    while walk.position() < head.position {
        for event in evidence_after(database, walk.position(), head.position).await? {
            walk.step(&event?)?;
            if noted.is_some_and(|(position, hash)| position == walk.position() && hash != walk.chain_hash()) {
                return Err(VerifyError::NotTheNoted { position: walk.position() });
            }
        }
        progress(walk.position(), head.position);
    }
    if let Some((position, _)) = noted.filter(|(position, _)| *position > walk.position()) {
        return Err(VerifyError::NotTheNoted { position });
    }
    nothing_outside(database).await?;
    let verified = finish(&walk, &head)?;
    ensure_vouched(database, walk).await?;
    Ok(verified)
}

/// Every erased payload must be vouched for. What was erased while the walk went on is vouched for beyond its end, but not
/// beyond the end of now: the event came with the erasure.
pub(crate) async fn ensure_vouched(database: &Database, mut walk: ChainWalk) -> Result<(), VerifyError> {
    if walk.first_unvouched().is_none() {
        return Ok(());
    }
    let end = head::read(database).await?.position;
    while walk.position() < end && walk.first_unvouched().is_some() {
        for event in evidence_after(database, walk.position(), end).await? {
            walk.step(&event?)?;
        }
    }
    Ok(walk.ensure_vouched()?)
}

/// The next events after a position, not beyond `last`, and at least one, or the damage that is there instead. Nothing
/// after a damaged event matters.
pub(crate) async fn evidence_after(
    database: &Database,
    after: Position,
    last: Position,
) -> Result<Vec<Result<Evidence, Broken>>, DatabaseError> {
    let rows = database.fetch_all(&select_page(), sql_args![after, last]).await?;
    Ok(evidence_of(after, &rows))
}

/// The same in one state of the database.
pub(crate) async fn evidence_in(
    snapshot: &mut ReadSnapshot,
    after: Position,
    last: Position,
) -> Result<Vec<Result<Evidence, Broken>>, DatabaseError> {
    let rows = snapshot.fetch_all(&select_page(), sql_args![after, last]).await?;
    Ok(evidence_of(after, &rows))
}

fn select_page() -> String {
    let columns = Evidence::columns();
    format!("SELECT {columns} FROM events WHERE position > ? AND position <= ? ORDER BY position LIMIT {PAGE}")
}

fn evidence_of(after: Position, rows: &[Row]) -> Vec<Result<Evidence, Broken>> {
    if rows.is_empty() {
        return vec![Err(Broken { position: after + 1, damage: Damage::Missing })];
    }
    let read = |(position, row)| Evidence::from_row(row).map_err(|_| Broken { position, damage: Damage::Unreadable });
    (after + 1..).zip(rows).map(read).collect()
}

/// Events before the first position, or beyond a head that has not moved, were not appended but put there; readers of
/// streams would see them.
pub(crate) async fn nothing_outside(database: &Database) -> Result<(), VerifyError> {
    for sql in ["SELECT MIN(position) AS position FROM events", "SELECT MAX(position) AS position FROM events"] {
        let found = database.fetch_optional(sql, vec![]).await?.map(|row| row.opt_int("position")).transpose();
        let Some(position) = found.map_err(DatabaseError::from)?.flatten() else { continue };
        let head = head::read(database).await?;
        if !(1..=head.position).contains(&position) {
            return Err(Broken { position, damage: Damage::Surplus }.into());
        }
    }
    Ok(())
}

fn finish(walk: &ChainWalk, head: &LogHead) -> Result<VerifiedLog, VerifyError> {
    let LogHead { position, chain_hash, recorded_at, epoch } = *head;
    walk.ensure_ends_at((position, chain_hash, recorded_at))?;
    Ok(VerifiedLog { position, chain_hash, epoch, erased: walk.erased() })
}

#[cfg(test)]
mod tests;
