//! Putting rebuilt tables in the place of live ones: empty copies are created next to them, filled, and exchanged.

mod mysql;
mod sqlite;
#[cfg(test)]
mod tests;

use async_trait::async_trait;

use crate::database::{Database, DatabaseError, Dialect, ReadSnapshot, TableNames, Transaction};

pub(super) use sqlite::restore_index_names;

/// The end of the name of a copy that is being filled.
const COPY: &str = "__rebuild";

/// The end of the name of what a copy has replaced.
const REPLACED: &str = "__old";

/// The right to make and remove copies, which a process that was asleep may have lost.
#[async_trait]
pub trait Holder: Send + Sync {
    /// Begins a transaction until whose end the right cannot be lost; `None`: it is lost.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    async fn begin(&self) -> Result<Option<Transaction>, DatabaseError>;
}

/// A database that is used by nobody else.
#[async_trait]
impl Holder for Database {
    async fn begin(&self) -> Result<Option<Transaction>, DatabaseError> {
        self.begin_view().await.map(Some)
    }
}

/// What the databases do in different ways.
#[async_trait]
trait Exchange: Send + Sync {
    fn writes_in_parallel(&self) -> bool;

    /// `false`: the holder has lost its right.
    async fn create(&self, database: &Database, tables: &[String], holder: &dyn Holder) -> Result<bool, DatabaseError>;

    /// `false`: the holder has lost its right.
    async fn drop_tables(
        &self,
        database: &Database,
        tables: &[String],
        holder: &dyn Holder,
    ) -> Result<bool, DatabaseError>;

    async fn replace(
        &self,
        database: &Database,
        tx: &mut Transaction,
        renamed: &[(String, String)],
    ) -> Result<(), DatabaseError>;

    async fn snapshot(&self, database: &Database, held: Transaction) -> Result<Option<ReadSnapshot>, DatabaseError>;

    /// A query for the names of all tables of the schema.
    fn all_tables(&self) -> &'static str;
}

/// Empty copies of some tables, with the same columns and indexes.
#[derive(Clone, Debug)]
pub struct TableCopies {
    database: Database,
    tables: Vec<String>,
}

impl TableCopies {
    /// Prepares copies of these tables; nothing is created yet.
    #[must_use]
    pub fn of<'a>(database: &Database, tables: impl IntoIterator<Item = &'a str>) -> Self {
        Self { database: database.clone(), tables: tables.into_iter().map(str::to_owned).collect() }
    }

    /// What the copies are called.
    #[must_use]
    pub fn names(&self) -> TableNames {
        TableNames::with_suffix(self.tables.iter().map(String::as_str), COPY)
    }

    /// Whether copies can be written while another transaction writes. Then they are exchanged at once, for good, whatever
    /// becomes of the transaction that keeps the live tables still; otherwise that transaction writes and exchanges them.
    #[must_use]
    pub fn are_written_in_parallel(&self) -> bool {
        self.exchange().writes_in_parallel()
    }

    /// Makes the copies, after it has removed what an interrupted run has left. `false`: the holder has lost its right, and
    /// another one's tables are left alone.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn create(&self, holder: &dyn Holder) -> Result<bool, DatabaseError> {
        Ok(self.remove(holder).await? && self.exchange().create(&self.database, &self.tables, holder).await?)
    }

    /// Removes copies of these tables and what such copies have replaced, also those of an interrupted run. `false`: as for
    /// [`Self::create`].
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn remove(&self, holder: &dyn Holder) -> Result<bool, DatabaseError> {
        self.exchange().drop_tables(&self.database, &self.left_over().await?, holder).await
    }

    /// Puts the copies in the place of the tables, all at once for readers. The caller commits the transaction.
    ///
    /// # Errors
    /// See [`DatabaseError`]; `Retryable` when a table is in use for too long.
    pub async fn replace(&self, tx: &mut Transaction) -> Result<(), DatabaseError> {
        let renamed = self.tables.iter().flat_map(|table| {
            [(table.clone(), format!("{table}{REPLACED}")), (format!("{table}{COPY}"), table.clone())]
        });
        self.exchange().replace(&self.database, tx, &renamed.collect::<Vec<_>>()).await
    }

    /// One state of the database, taken as `held` ends, which keeps the live tables still. `None`: it could not be taken now.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn snapshot(&self, held: Transaction) -> Result<Option<ReadSnapshot>, DatabaseError> {
        self.exchange().snapshot(&self.database, held).await
    }

    /// The schema may hold tables of other programs, so that only the very names count.
    async fn left_over(&self) -> Result<Vec<String>, DatabaseError> {
        let rows = self.database.fetch_all(self.exchange().all_tables(), vec![]).await?;
        let found = rows.iter().map(|row| row.text("name")).collect::<Result<Vec<_>, _>>()?;
        let own: Vec<_> =
            self.tables.iter().flat_map(|table| [format!("{table}{COPY}"), format!("{table}{REPLACED}")]).collect();
        Ok(found.into_iter().filter(|name| own.contains(name)).collect())
    }

    fn exchange(&self) -> &'static dyn Exchange {
        match self.database.dialect() {
            Dialect::Mysql => &mysql::MysqlExchange,
            Dialect::Sqlite => &sqlite::SqliteExchange,
        }
    }
}
