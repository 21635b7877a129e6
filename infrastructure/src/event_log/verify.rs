//! Checks that nobody has changed the log.

use application::ports::{Epoch, Hash, LogHead, Position};

use super::chain::{FixedFields, GENESIS, chain_hash, payload_digest};
use super::head;
use super::stored::{COLUMNS, DecodeError, StoredEvent};
use crate::database::{Database, DatabaseError, Row};
use crate::sql_args;

const PAGE: i64 = 1_000;

/// A log that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedLog {
    /// The position of its last event.
    pub position: Position,
    /// The hash there.
    pub chain_hash: Hash,
    /// Which history it is.
    pub epoch: Epoch,
    /// How many events have lost their payload by erasure.
    pub erased: u64,
}

/// What is wrong at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// There is no event.
    #[error("the event is missing")]
    Missing,
    /// A column holds what no event has.
    #[error("the event cannot be read")]
    Unreadable,
    /// The payload is not the one that was recorded.
    #[error("the payload was changed")]
    Payload,
    /// A column beside the payload, or the order of events, is not what was recorded.
    #[error("the event or its place was changed")]
    Chain,
    /// The event is dated before its predecessor.
    #[error("the time goes back")]
    Time,
    /// The log's head says something else about the end than the events do.
    #[error("the events do not end where the head says")]
    End,
}

/// Why a log could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is not whole.
    #[error("the log is broken at position {position}: {damage}")]
    Broken {
        /// The first position where something is wrong.
        position: Position,
        /// What it is.
        damage: Damage,
    },
    /// The database does not work.
    #[error("the log cannot be read")]
    Database(#[from] DatabaseError),
}

/// Reads the log from its beginning to its end of now, and computes every digest anew. `progress` is called with each
/// position that has been reached.
///
/// # Errors
/// See [`VerifyError`].
pub async fn verify_chain(
    database: &Database,
    mut progress: impl FnMut(Position) + Send,
) -> Result<VerifiedLog, VerifyError> {
    let head = head::read(database).await?;
    let select = format!(
        "SELECT {COLUMNS}, salt, payload_digest FROM events WHERE position > ? AND position <= ? \
         ORDER BY position LIMIT {PAGE}"
    );
    let mut walk = Walk::default();
    while walk.position < head.position {
        let rows = database.fetch_all(&select, sql_args![walk.position, head.position]).await?;
        if rows.is_empty() {
            return Err(broken(walk.position + 1, Damage::Missing));
        }
        for row in &rows {
            walk.step(row)?;
        }
        progress(walk.position);
    }
    no_more_than(database).await?;
    walk.finish(&head)
}

/// Events beyond a head that has not moved were not appended but put there.
async fn no_more_than(database: &Database) -> Result<(), VerifyError> {
    let sql = "SELECT MAX(position) AS last FROM events";
    let last = database.fetch_optional(sql, vec![]).await?.map(|row| row.opt_int("last")).transpose();
    let last = last.map_err(DatabaseError::from)?.flatten().unwrap_or(0);
    let now = head::read(database).await?;
    if last > now.position { Err(broken(now.position + 1, Damage::End)) } else { Ok(()) }
}

struct Walk {
    position: Position,
    chain_hash: Hash,
    recorded_us: i64,
    erased: u64,
}

impl Default for Walk {
    fn default() -> Self {
        Self { position: 0, chain_hash: GENESIS, recorded_us: i64::MIN, erased: 0 }
    }
}

impl Walk {
    fn step(&mut self, row: &Row) -> Result<(), VerifyError> {
        let position = self.position + 1;
        let seen = Seen::from_row(row).map_err(|_| broken(position, Damage::Unreadable))?;
        let damage = self.compare(position, &seen);
        if let Some(damage) = damage {
            return Err(broken(position, damage));
        }
        self.erased += u64::from(seen.salt.is_none());
        self.position = position;
        self.chain_hash = seen.event.header.chain_hash;
        self.recorded_us = seen.event.header.recorded_at.as_micros();
        Ok(())
    }

    fn compare(&self, position: Position, seen: &Seen) -> Option<Damage> {
        let header = &seen.event.header;
        if header.position != position {
            return Some(Damage::Missing);
        }
        if seen.salt.as_ref().is_some_and(|salt| payload_digest(salt, &seen.event.payload) != seen.digest) {
            return Some(Damage::Payload);
        }
        let recorded_us = header.recorded_at.as_micros();
        let fixed = FixedFields::of(header, &seen.metadata);
        if chain_hash(&self.chain_hash, position, &fixed, recorded_us, &seen.digest) != header.chain_hash {
            return Some(Damage::Chain);
        }
        (recorded_us < self.recorded_us).then_some(Damage::Time)
    }

    fn finish(self, head: &LogHead) -> Result<VerifiedLog, VerifyError> {
        let Self { position, chain_hash, recorded_us, erased } = self;
        let same_time = position == 0 || recorded_us == head.recorded_at.as_micros();
        if position != head.position || chain_hash != head.chain_hash || !same_time {
            return Err(broken(position, Damage::End));
        }
        Ok(VerifiedLog { position, chain_hash, epoch: head.epoch, erased })
    }
}

struct Seen {
    event: StoredEvent,
    metadata: String,
    salt: Option<Vec<u8>>,
    digest: Hash,
}

impl Seen {
    fn from_row(row: &Row) -> Result<Self, DecodeError> {
        Ok(Self {
            event: StoredEvent::from_row(row)?,
            metadata: row.text("metadata")?,
            salt: row.opt_bytes("salt")?,
            digest: row.hash("payload_digest")?,
        })
    }
}

const fn broken(position: Position, damage: Damage) -> VerifyError {
    VerifyError::Broken { position, damage }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
