//! Write transactions.

use std::sync::Arc;

use super::mysql::MysqlTransaction;
use super::row::Row;
use super::sqlite::SqliteTransaction;
use super::statements::{Statement, chunked};
use super::table_names::exchange;
use super::{DatabaseError, Dialect, SqlValue, TableNames};

/// A write transaction; dropped without a commit, it is rolled back.
///
/// After an error the only sensible thing is to drop it: the database may have rolled it back already.
pub struct Transaction {
    inner: Inner,
    names: Option<Arc<TableNames>>,
}

pub(super) enum Inner {
    Mysql(MysqlTransaction),
    Sqlite(SqliteTransaction),
}

impl Transaction {
    /// A transaction that begins with what it sends first.
    pub(super) const fn new(inner: Inner, names: Option<Arc<TableNames>>) -> Self {
        Self { inner, names }
    }

    /// Sends what is enqueued, and each later statement by itself.
    pub(super) async fn send_each(&mut self) -> Result<(), DatabaseError> {
        match &mut self.inner {
            Inner::Mysql(tx) => tx.send_each().await,
            Inner::Sqlite(tx) => tx.send_each().await,
        }
    }

    /// Renames tables in later statements; `None` restores their own names.
    pub fn rename_tables(&mut self, names: Option<Arc<TableNames>>) {
        self.names = names;
    }

    /// The dialect of its SQL.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match &self.inner {
            Inner::Mysql(_) => Dialect::Mysql,
            Inner::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Whether statements may wait for the next query or the commit.
    #[must_use]
    pub const fn is_batched(&self) -> bool {
        match &self.inner {
            Inner::Mysql(tx) => tx.is_batched(),
            Inner::Sqlite(tx) => tx.is_batched(),
        }
    }

    /// The rows that a query returns, including what this transaction has written.
    ///
    /// # Errors
    /// See [`DatabaseError`]; the error may be about a statement that was enqueued before.
    pub async fn fetch_all(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        let sql = exchange(self.names.as_deref(), sql);
        match &mut self.inner {
            Inner::Mysql(tx) => tx.fetch_all(&sql, args).await,
            Inner::Sqlite(tx) => tx.fetch_all(&sql, args).await,
        }
    }

    /// The first row that a query returns, if there is one.
    ///
    /// # Errors
    /// See [`Transaction::fetch_all`].
    pub async fn fetch_optional(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<Option<Row>, DatabaseError> {
        Ok(self.fetch_all(sql, args).await?.into_iter().next())
    }

    /// Runs a statement and returns the number of rows that it has affected (found, for an update).
    ///
    /// # Errors
    /// See [`Transaction::fetch_all`].
    pub async fn execute(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        let sql = exchange(self.names.as_deref(), sql);
        match &mut self.inner {
            Inner::Mysql(tx) => tx.execute(&sql, args).await,
            Inner::Sqlite(tx) => tx.execute(&sql, args).await,
        }
    }

    /// Runs a statement, perhaps not before the next query or the commit.
    ///
    /// # Errors
    /// See [`Transaction::fetch_all`].
    pub async fn enqueue(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<(), DatabaseError> {
        let statement = Statement::new(&exchange(self.names.as_deref(), sql), args);
        self.add(statement).await
    }

    /// Like [`Transaction::enqueue`], for a statement that must affect (find, for an update) this number of rows. Returns
    /// `false` if it did not.
    ///
    /// # Errors
    /// See [`Transaction::fetch_all`]. A batched transaction reports another number of rows by one of its next errors, and
    /// does not run the statements after it.
    pub async fn expect(&mut self, rows: u64, sql: &str, args: Vec<SqlValue>) -> Result<bool, DatabaseError> {
        if !self.is_batched() {
            return Ok(self.execute(sql, args).await? == rows);
        }
        let statement = Statement::new(&exchange(self.names.as_deref(), sql), args).expecting(rows);
        self.add(statement).await?;
        Ok(true)
    }

    /// Inserts many rows, in their order, as [`Transaction::enqueue`] does. Each row holds one value for each column.
    ///
    /// # Errors
    /// See [`Transaction::fetch_all`].
    pub async fn insert_many(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: Vec<Vec<SqlValue>>,
    ) -> Result<(), DatabaseError> {
        let statements = chunked(self.names.as_ref().map_or(table, |names| names.name(table)), columns, rows);
        for (sql, values) in statements {
            self.add(Statement::new(&sql, values)).await?;
        }
        Ok(())
    }

    /// Makes the changes visible, and durable unless a power cut comes too soon.
    ///
    /// # Errors
    /// See [`Transaction::fetch_all`]; after `Unavailable` only another look shows whether it was committed.
    pub async fn commit(self) -> Result<(), DatabaseError> {
        match self.inner {
            Inner::Mysql(tx) => tx.commit().await,
            Inner::Sqlite(tx) => tx.commit().await,
        }
    }

    async fn add(&mut self, statement: Statement) -> Result<(), DatabaseError> {
        match &mut self.inner {
            Inner::Mysql(tx) => tx.enqueue(statement).await,
            Inner::Sqlite(tx) => tx.enqueue(statement).await,
        }
    }
}
