//! How far a projector has come.

use application::ports::{Epoch, Hash, Position};

use crate::database::{Database, DatabaseError, ErrorClass, Row, Transaction};
use crate::event_log::chain::GENESIS;
use crate::sql_args;

const SELECT: &str = "SELECT position, chain_hash, epoch, generation FROM checkpoints WHERE name = ? AND version = ?";

/// A place in the history of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The position.
    pub position: Position,
    /// The log's hash there.
    pub chain_hash: Hash,
    /// Which history it is.
    pub epoch: Epoch,
    /// How often the projector's tables were replaced by rebuilt ones.
    pub generation: i64,
}

/// What a projector finds where its checkpoint should be.
pub(super) enum Found {
    /// Its checkpoint.
    Own(Checkpoint),
    /// That of a newer version, which the tables belong to.
    Newer(i64),
}

impl Checkpoint {
    /// Before the first event of a history.
    #[must_use]
    pub const fn beginning(epoch: Epoch) -> Self {
        Self { position: 0, chain_hash: GENESIS, epoch, generation: 0 }
    }

    /// Reads the stored one.
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

    /// Makes the one checkpoint of a projector that of this version.
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

    /// Stores it for a projector whose tables were filled up to it, and that has none yet.
    ///
    /// # Errors
    /// When it has one, or the database does not work.
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

    /// Moves the stored one from `self` to `to`. `false`: it is not at `self`, so somebody else moves it; in a batched
    /// transaction an error tells so later.
    ///
    /// As the first statement of a transaction it keeps everybody else waiting until the end of it.
    pub(super) async fn advance(
        &self,
        tx: &mut Transaction,
        (name, version): (&str, i64),
        to: &Self,
    ) -> Result<bool, DatabaseError> {
        let update = format!(
            "UPDATE checkpoints SET position = ?, chain_hash = ?, updated_us = {} \
             WHERE name = ? AND version = ? AND position = ? AND chain_hash = ? AND epoch = ? AND generation = ?",
            tx.dialect().now_micros()
        );
        let Self { position, chain_hash, epoch, generation } = *self;
        let args = sql_args![to.position, to.chain_hash, name, version, position, chain_hash, epoch, generation];
        tx.expect(1, &update, args).await
    }
}

pub(super) fn read(row: &Row) -> Result<Checkpoint, DatabaseError> {
    Ok(Checkpoint {
        position: row.int("position")?,
        chain_hash: row.hash("chain_hash")?,
        epoch: row.uuid("epoch")?,
        generation: row.int("generation")?,
    })
}
