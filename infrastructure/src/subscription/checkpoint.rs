//! How far a subscriber has come.

use application::ports::{Epoch, Hash, Position};

use crate::database::{Database, DatabaseError, ErrorClass, Row, RowError, Transaction};
use crate::event_log::chain::GENESIS;
use crate::sql_args;

const SELECT: &str = "SELECT position, chain_hash, epoch, generation FROM checkpoints WHERE name = ? AND version = ?";

/// A place in the history of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Everything up to this position is in the tables.
    pub position: Position,
    /// The log's hash there.
    pub chain_hash: Hash,
    /// The name of the history.
    pub epoch: Epoch,
    /// How often the tables were replaced by rebuilt ones.
    pub generation: i64,
}

/// What a subscriber finds where its checkpoint should be.
pub(super) enum Found {
    /// A checkpoint of this version.
    Own(Checkpoint),
    /// The tables belong to a newer version.
    Newer(i64),
}

impl Checkpoint {
    /// Before the first event of a history.
    #[must_use]
    pub const fn beginning(epoch: Epoch) -> Self {
        Self { position: 0, chain_hash: GENESIS, epoch, generation: 0 }
    }

    /// Reads the stored checkpoint of a subscriber.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn find(database: &Database, name: &str, version: i64) -> Result<Option<Self>, DatabaseError> {
        let row = database.fetch_optional(SELECT, sql_args![name, version]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The stored one of this version. If there is none, it is that of the version before, which goes on with the
    /// tables as they are and marks them as outdated; if there is none either, it is stored as `self`.
    pub(super) async fn find_or_begin(
        self,
        database: &Database,
        (name, version): (&str, i64),
    ) -> Result<Found, DatabaseError> {
        if let Some(found) = Self::find(database, name, version).await? {
            return Ok(Found::Own(found));
        }
        match self.adopt(database, (name, version)).await {
            Err(error) if error.class() == ErrorClass::DuplicateKey => {
                Ok(Found::Own(Self::find(database, name, version).await?.unwrap_or(self)))
            }
            found => found,
        }
    }

    /// Turns the one checkpoint of a subscriber into that of this version.
    async fn adopt(self, database: &Database, (name, version): (&str, i64)) -> Result<Found, DatabaseError> {
        const LAST: &str = "SELECT version, position, chain_hash, epoch, generation FROM checkpoints WHERE name = ? ORDER BY version DESC";
        let mut tx = database.begin_view().await?;
        let last = tx.fetch_optional(&format!("{LAST}{}", tx.dialect().for_update()), sql_args![name]).await?;
        let (checkpoint, is_outdated) = match &last {
            Some(row) if row.int("version")? > version => return Ok(Found::Newer(row.int("version")?)),
            Some(row) => (read(row)?, true),
            None => (self, false),
        };
        tx.execute("DELETE FROM checkpoints WHERE name = ?", sql_args![name]).await?;
        // Nothing was projected, so nothing is outdated.
        let is_outdated = is_outdated && checkpoint.position > 0;
        checkpoint.insert(&mut tx, (name, version), is_outdated).await?;
        tx.commit().await?;
        Ok(Found::Own(checkpoint))
    }

    /// Stores it for a subscriber whose tables were filled up to it.
    ///
    /// # Errors
    /// When the subscriber has a checkpoint already, or the database does not work.
    pub async fn store_first(&self, database: &Database, id: (&str, i64)) -> Result<(), DatabaseError> {
        let mut tx = database.begin_view().await?;
        self.insert(&mut tx, id, false).await?;
        tx.commit().await
    }

    async fn insert(
        &self,
        tx: &mut Transaction,
        (name, version): (&str, i64),
        is_outdated: bool,
    ) -> Result<(), DatabaseError> {
        let insert = format!(
            "INSERT INTO checkpoints (name, version, position, chain_hash, epoch, generation, outdated, updated_us) \
             VALUES (?, ?, ?, ?, ?, ?, ?, {})",
            tx.dialect().now_micros()
        );
        let Self { position, chain_hash, epoch, generation } = *self;
        let args = sql_args![name, version, position, chain_hash, epoch, generation, is_outdated];
        tx.execute(&insert, args).await?;
        Ok(())
    }

    /// Whether the log in this database has this place: the position with this hash, in a history of this name.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn is_in_log(&self, database: &Database) -> Result<bool, DatabaseError> {
        const SQL: &str = "SELECT (SELECT COUNT(*) FROM log_head WHERE epoch = ?) AS epochs, \
                           (SELECT COUNT(*) FROM events WHERE position = ? AND chain_hash = ?) AS events";
        let Self { position, chain_hash, epoch, .. } = *self;
        let row = database.fetch_optional(SQL, sql_args![epoch, position, chain_hash]).await?;
        let Some(row) = row else { return Ok(false) };
        let is_place = if position == 0 { chain_hash == GENESIS } else { row.int("events")? > 0 };
        Ok(is_place && row.int("epochs")? > 0)
    }

    /// Moves the stored one from `self` to `to`. `false`: it is not at `self`, so another node moves it, or the log has no
    /// such place: the database was set back to an earlier state under a node that knows more. In a batched transaction an
    /// error says so later.
    ///
    /// As the first statement of a transaction it keeps all other transactions on this checkpoint waiting.
    pub(super) async fn advance(
        &self,
        tx: &mut Transaction,
        (name, version): (&str, i64),
        to: &Self,
    ) -> Result<bool, DatabaseError> {
        let update = format!(
            "UPDATE checkpoints SET position = ?, chain_hash = ?, updated_us = {} \
             WHERE name = ? AND version = ? AND position = ? AND chain_hash = ? AND epoch = ? AND generation = ? \
             AND EXISTS (SELECT 1 FROM events WHERE events.position = ? AND events.chain_hash = ?)",
            tx.dialect().now_micros()
        );
        let Self { position, chain_hash, epoch, generation } = *self;
        let own = sql_args![name, version, position, chain_hash, epoch, generation];
        let place = sql_args![to.position, to.chain_hash];
        tx.expect(1, &update, [place.clone(), own, place].concat()).await
    }
}

pub(super) fn read(row: &Row) -> Result<Checkpoint, DatabaseError> {
    // SQLite takes anything into any column. What cannot be read is no place in any log, and is mended like one.
    let (position, chain_hash, epoch) = read_place(row).unwrap_or((0, GENESIS, Epoch::nil()));
    Ok(Checkpoint { position, chain_hash, epoch, generation: row.int("generation")? })
}

fn read_place(row: &Row) -> Result<(Position, Hash, Epoch), RowError> {
    Ok((row.int("position")?, row.hash("chain_hash")?, row.uuid("epoch")?))
}
