//! How far a projector has come.

use application::ports::{Epoch, Hash, Position};

use crate::database::{Database, DatabaseError, ErrorClass, Transaction};
use crate::event_log::chain::GENESIS;
use crate::sql_args;

const SELECT: &str = "SELECT position, chain_hash, epoch FROM checkpoints WHERE name = ? AND version = ?";

/// A place in the history of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The position.
    pub position: Position,
    /// The log's hash there.
    pub chain_hash: Hash,
    /// Which history it is.
    pub epoch: Epoch,
}

impl Checkpoint {
    /// Before the first event of a history.
    #[must_use]
    pub const fn beginning(epoch: Epoch) -> Self {
        Self { position: 0, chain_hash: GENESIS, epoch }
    }

    /// Reads the stored one.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn find(database: &Database, name: &str, version: i64) -> Result<Option<Self>, DatabaseError> {
        let Some(row) = database.fetch_optional(SELECT, sql_args![name, version]).await? else { return Ok(None) };
        Ok(Some(Self {
            position: row.int("position")?,
            chain_hash: row.hash("chain_hash")?,
            epoch: row.uuid("epoch")?,
        }))
    }

    /// Stores this one, unless there is one already; gives what is stored then.
    pub(super) async fn find_or_begin(
        self,
        database: &Database,
        name: &str,
        version: i64,
    ) -> Result<Self, DatabaseError> {
        if let Some(found) = Self::find(database, name, version).await? {
            return Ok(found);
        }
        let insert = format!(
            "INSERT INTO checkpoints (name, version, position, chain_hash, epoch, updated_us) \
             VALUES (?, ?, ?, ?, ?, {})",
            database.now_micros()
        );
        let args = sql_args![name, version, self.position, self.chain_hash, self.epoch];
        match database.execute(&insert, args).await {
            Ok(_) => Ok(self),
            Err(error) if error.class() == ErrorClass::DuplicateKey => {
                Ok(Self::find(database, name, version).await?.unwrap_or(self))
            }
            Err(error) => Err(error),
        }
    }

    /// Moves the stored one from `self` to `to`. `false`: it is not at `self`, so somebody else moves it.
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
             WHERE name = ? AND version = ? AND position = ? AND chain_hash = ? AND epoch = ?",
            tx.dialect().now_micros()
        );
        let args = sql_args![to.position, to.chain_hash, name, version, self.position, self.chain_hash, self.epoch];
        Ok(tx.execute(&update, args).await? == 1)
    }
}
