//! Write transactions.

use std::borrow::Cow;
use std::sync::Arc;

use sqlx::MySql;

use super::insert::chunked;
use super::row::Row;
use super::sqlite::SqliteTransaction;
use super::value::bind_mysql;
use super::{DatabaseError, Dialect, SqlValue, TableNames};

/// A write transaction; dropped without a commit, it is rolled back.
///
/// After an error the only sensible thing is to drop it: the database may have rolled it back already.
pub struct Transaction {
    inner: Inner,
    names: Option<Arc<TableNames>>,
}

pub(super) enum Inner {
    Mysql(sqlx::Transaction<'static, MySql>),
    Sqlite(SqliteTransaction),
}

impl Transaction {
    pub(super) const fn new(inner: Inner) -> Self {
        Self { inner, names: None }
    }

    /// Calls tables otherwise from now on; as they are called when `None`.
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

    /// The rows that a query gives, with what this transaction has written.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn fetch_all(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        let sql = exchange(self.names.as_deref(), sql);
        match &mut self.inner {
            Inner::Mysql(tx) => {
                let rows = bind_mysql(&sql, args).fetch_all(&mut **tx).await?;
                Ok(rows.into_iter().map(Row::from).collect())
            }
            Inner::Sqlite(tx) => tx.fetch_all(&sql, args).await,
        }
    }

    /// The first row that a query gives, if it gives one.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn fetch_optional(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<Option<Row>, DatabaseError> {
        Ok(self.fetch_all(sql, args).await?.into_iter().next())
    }

    /// Runs a statement and tells how many rows it affected (found, for an update).
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn execute(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        let sql = exchange(self.names.as_deref(), sql);
        self.run(&sql, args).await
    }

    async fn run(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        match &mut self.inner {
            Inner::Mysql(tx) => Ok(bind_mysql(sql, args).execute(&mut **tx).await?.rows_affected()),
            Inner::Sqlite(tx) => tx.execute(sql, args).await,
        }
    }

    /// Inserts rows, many at once and in their order. Each row holds one value for each column.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn insert_many(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: Vec<Vec<SqlValue>>,
    ) -> Result<(), DatabaseError> {
        let statements = chunked(self.names.as_ref().map_or(table, |names| names.name(table)), columns, rows);
        for (sql, values) in statements {
            self.run(&sql, values).await?;
        }
        Ok(())
    }

    /// Makes what was written durable and visible.
    ///
    /// # Errors
    /// See [`DatabaseError`]; after `Unavailable` only looking tells whether it was committed.
    pub async fn commit(self) -> Result<(), DatabaseError> {
        match self.inner {
            Inner::Mysql(tx) => Ok(tx.commit().await?),
            Inner::Sqlite(tx) => tx.commit().await,
        }
    }
}

/// A statement with the names that tables have in it.
pub(super) fn exchange<'a>(names: Option<&TableNames>, sql: &'a str) -> Cow<'a, str> {
    names.map_or(Cow::Borrowed(sql), |names| names.apply(sql))
}
