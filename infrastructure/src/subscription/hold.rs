//! Keeping projectors still while their tables are replaced.

use super::checkpoint::{Checkpoint, read};
use crate::database::{Database, DatabaseError, Row, RowError, Snapshot, Transaction, placeholders};
use crate::sql_args;

/// A projector's name and version.
pub type ProjectorId = (&'static str, i64);

/// Where a projector's tables stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The projector's version that writes them; none when none ever did.
    pub version: i64,
    /// The place in the log up to which they hold everything.
    pub checkpoint: Checkpoint,
    /// Whether they hold rows of an earlier version.
    pub is_outdated: bool,
}

/// Keeps projectors, whichever node runs them, from writing until it is dropped or committed: each of their transactions
/// begins with the checkpoint.
pub struct Hold {
    tx: Transaction,
    names: Vec<&'static str>,
    standings: Vec<Option<Standing>>,
}

impl Hold {
    /// Waits for the transactions of these projectors that are under way, and lets no other begin.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn take(database: &Database, names: &[&'static str]) -> Result<Self, DatabaseError> {
        let mut tx = database.begin_view().await?;
        let (sql, args) = select(names);
        let rows = tx.fetch_all(&format!("{sql}{}", tx.dialect().for_update()), args).await?;
        let standings = arrange(names, &rows)?;
        Ok(Self { tx, names: names.to_vec(), standings })
    }

    /// Where the tables of these projectors stand, without keeping them there.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn look(database: &Database, names: &[&'static str]) -> Result<Vec<Option<Standing>>, DatabaseError> {
        let (sql, args) = select(names);
        arrange(names, &database.fetch_all(&sql, args).await?)
    }

    /// The same in one state of the database.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn look_in(
        snapshot: &mut Snapshot,
        names: &[&'static str],
    ) -> Result<Vec<Option<Standing>>, DatabaseError> {
        let (sql, args) = select(names);
        arrange(names, &snapshot.fetch_all(&sql, args).await?)
    }

    /// Where the tables stand, in the order of the names; none where nothing was ever projected.
    #[must_use]
    pub fn standings(&self) -> &[Option<Standing>] {
        &self.standings
    }

    /// The transaction that keeps them still.
    pub const fn transaction(&mut self) -> &mut Transaction {
        &mut self.tx
    }

    /// Keeps what was written, and lets the projectors go on.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn release(self) -> Result<(), DatabaseError> {
        self.tx.commit().await
    }

    /// Tells the projectors that their tables were replaced, and lets them go on.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn commit_replacement(mut self) -> Result<(), DatabaseError> {
        self.tx.rename_tables(None);
        let sql = format!(
            "UPDATE checkpoints SET generation = generation + 1, outdated = 0 WHERE name IN ({})",
            placeholders(self.names.len())
        );
        let names = self.names.iter().flat_map(|name| sql_args![*name]).collect();
        self.tx.execute(&sql, names).await?;
        self.tx.commit().await
    }
}

/// Which of these projectors have tables with rows of an earlier version; `None` while one of them has not begun.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn find_outdated(
    database: &Database,
    projectors: &[ProjectorId],
) -> Result<Option<Vec<&'static str>>, DatabaseError> {
    let names: Vec<_> = projectors.iter().map(|(name, _)| *name).collect();
    let standings = Hold::look(database, &names).await?;
    let own = |((name, version), standing): (&ProjectorId, Option<Standing>)| {
        standing.filter(|standing| standing.version >= *version).map(|standing| (*name, standing))
    };
    let standings: Option<Vec<_>> = projectors.iter().zip(standings).map(own).collect();
    let outdated = |standings: Vec<(&'static str, Standing)>| {
        standings.into_iter().filter(|(_, standing)| standing.is_outdated).map(|(name, _)| name).collect()
    };
    Ok(standings.map(outdated))
}

fn select(names: &[&'static str]) -> (String, Vec<crate::database::SqlValue>) {
    let sql = format!(
        "SELECT name, version, position, chain_hash, epoch, generation, outdated FROM checkpoints WHERE name IN ({})",
        placeholders(names.len())
    );
    (sql, names.iter().flat_map(|name| sql_args![*name]).collect())
}

fn arrange(names: &[&'static str], rows: &[Row]) -> Result<Vec<Option<Standing>>, DatabaseError> {
    let found = rows.iter().map(|row| Ok((row.text("name")?, standing(row)?)));
    let found = found.collect::<Result<Vec<_>, DatabaseError>>()?;
    let newest = |name: &&str| {
        let own = found.iter().filter(|(found, _)| found == name).map(|(_, standing)| *standing);
        own.max_by_key(|standing| standing.version)
    };
    Ok(names.iter().map(newest).collect())
}

fn standing(row: &Row) -> Result<Standing, DatabaseError> {
    let int = |column| row.int(column).map_err(|error: RowError| DatabaseError::from(error));
    Ok(Standing { version: int("version")?, checkpoint: read(row)?, is_outdated: int("outdated")? != 0 })
}
