//! Keeping subscribers still while their tables are replaced.

use super::checkpoint::{Checkpoint, read};
use crate::database::{Database, DatabaseError, ReadSnapshot, Row, RowError, Transaction, placeholders};
use crate::sql_args;

/// A subscriber's name and version.
pub type SubscriberId = (&'static str, i64);

/// Where a subscriber's tables stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableState {
    /// The version that writes them.
    pub version: i64,
    /// The place in the log up to which they hold everything.
    pub checkpoint: Checkpoint,
    /// Whether they hold rows of an earlier version.
    pub is_outdated: bool,
}

/// Keeps subscribers, whichever node runs them, from writing until it is dropped or committed: each of their transactions
/// begins with the checkpoint.
pub struct CheckpointLock {
    tx: Transaction,
    names: Vec<&'static str>,
    states: Vec<Option<TableState>>,
}

impl CheckpointLock {
    /// Waits for the transactions of these subscribers that are under way, and lets no other begin.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn take(database: &Database, names: &[&'static str]) -> Result<Self, DatabaseError> {
        let mut tx = database.begin_view().await?;
        let (sql, args) = select(names);
        let rows = tx.fetch_all(&format!("{sql}{}", tx.dialect().for_update()), args).await?;
        let states = arrange(names, &rows)?;
        Ok(Self { tx, names: names.to_vec(), states })
    }

    /// Where the tables of these subscribers stand, without keeping them there.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn look(database: &Database, names: &[&'static str]) -> Result<Vec<Option<TableState>>, DatabaseError> {
        let (sql, args) = select(names);
        arrange(names, &database.fetch_all(&sql, args).await?)
    }

    /// The same in one state of the database.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn look_in(
        snapshot: &mut ReadSnapshot,
        names: &[&'static str],
    ) -> Result<Vec<Option<TableState>>, DatabaseError> {
        let (sql, args) = select(names);
        arrange(names, &snapshot.fetch_all(&sql, args).await?)
    }

    /// Where the tables stand, in the order of the names; none where nothing was ever projected.
    #[must_use]
    pub fn states(&self) -> &[Option<TableState>] {
        &self.states
    }

    /// The transaction that keeps them still.
    pub const fn transaction(&mut self) -> &mut Transaction {
        &mut self.tx
    }

    /// The transaction, which lets the subscribers go on when it ends.
    #[must_use]
    pub fn into_transaction(self) -> Transaction {
        self.tx
    }

    /// Marks the tables as replaced, so that every node loads its subscribers again, and lets them go on. `mended`: where the
    /// new tables stand, for checkpoints that are not in the log.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn commit_replacement(mut self, mended: &[(&'static str, Checkpoint)]) -> Result<(), DatabaseError> {
        self.tx.rename_tables(None);
        for (name, Checkpoint { position, chain_hash, epoch, .. }) in mended {
            let sql = "UPDATE checkpoints SET position = ?, chain_hash = ?, epoch = ? WHERE name = ?";
            self.tx.execute(sql, sql_args![*position, *chain_hash, *epoch, *name]).await?;
        }
        let sql = format!(
            "UPDATE checkpoints SET generation = generation + 1, outdated = 0 WHERE name IN ({})",
            placeholders(self.names.len())
        );
        let names = self.names.iter().flat_map(|name| sql_args![*name]).collect();
        self.tx.execute(&sql, names).await?;
        self.tx.commit().await
    }
}

/// Which of these subscribers have tables with rows of an earlier version; `None` while one of them has not begun.
///
/// # Errors
/// See [`DatabaseError`].
pub async fn find_outdated(
    database: &Database,
    subscribers: &[SubscriberId],
) -> Result<Option<Vec<&'static str>>, DatabaseError> {
    let names: Vec<_> = subscribers.iter().map(|(name, _)| *name).collect();
    let states = CheckpointLock::look(database, &names).await?;
    let own = |((name, version), state): (&SubscriberId, Option<TableState>)| {
        state.filter(|state| state.version >= *version).map(|state| (*name, state))
    };
    let states: Option<Vec<_>> = subscribers.iter().zip(states).map(own).collect();
    let outdated = |states: Vec<(&'static str, TableState)>| {
        states.into_iter().filter(|(_, state)| state.is_outdated).map(|(name, _)| name).collect()
    };
    Ok(states.map(outdated))
}

fn select(names: &[&'static str]) -> (String, Vec<crate::database::SqlValue>) {
    let sql = format!(
        "SELECT name, version, position, chain_hash, epoch, generation, outdated FROM checkpoints WHERE name IN ({})",
        placeholders(names.len())
    );
    (sql, names.iter().flat_map(|name| sql_args![*name]).collect())
}

fn arrange(names: &[&'static str], rows: &[Row]) -> Result<Vec<Option<TableState>>, DatabaseError> {
    let found = rows.iter().map(|row| Ok((row.text("name")?, state(row)?)));
    let found = found.collect::<Result<Vec<_>, DatabaseError>>()?;
    let newest = |name: &&str| {
        let own = found.iter().filter(|(found, _)| found == name).map(|(_, state)| *state);
        own.max_by_key(|state| state.version)
    };
    Ok(names.iter().map(newest).collect())
}

fn state(row: &Row) -> Result<TableState, DatabaseError> {
    let int = |column| row.int(column).map_err(|error: RowError| DatabaseError::from(error));
    Ok(TableState { version: int("version")?, checkpoint: read(row)?, is_outdated: int("outdated")? != 0 })
}
