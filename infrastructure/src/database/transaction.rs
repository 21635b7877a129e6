//! Write transactions.

use std::borrow::Cow;
use std::sync::Arc;

use super::mysql::MysqlTransaction;
use super::row::Row;
use super::sqlite::SqliteTransaction;
use super::statements::{Script, chunked};
use super::{DatabaseError, Dialect, SqlValue, TableNames};

/// Statements of more bytes are sent at once, whether somebody waits for them or not. The last of them comes on top: two
/// megabytes of rows at most, as no single one is so large, and all stay below the smallest packet that a server is run
/// with, 4 MiB.
const MOST_ENQUEUED: usize = 1 << 20;

/// A write transaction; dropped without a commit, it is rolled back.
///
/// After an error the only sensible thing is to drop it: the database may have rolled it back already.
pub struct Transaction {
    inner: Inner,
    names: Option<Arc<TableNames>>,
    /// What was not sent yet; none where each statement is sent by itself.
    enqueued: Option<Script>,
}

pub(crate) enum Inner {
    Mysql(MysqlTransaction),
    Sqlite(SqliteTransaction),
}

impl Transaction {
    /// One that begins with what is sent first.
    pub(crate) fn new(inner: Inner, names: Option<Arc<TableNames>>) -> Self {
        let mut tx = Self { inner, names, enqueued: None };
        tx.enqueued = Some(Script::begin(tx.dialect()));
        tx
    }

    /// Sends what is enqueued, and each statement by itself from now on.
    pub(crate) async fn send_each(&mut self) -> Result<(), DatabaseError> {
        self.send().await?;
        self.enqueued = None;
        Ok(())
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

    /// Whether statements may wait for the next query or the commit.
    #[must_use]
    pub const fn is_batched(&self) -> bool {
        self.enqueued.is_some()
    }

    /// The rows that a query gives, with what this transaction has written.
    ///
    /// # Errors
    /// See [`DatabaseError`]; it may be about a statement that was enqueued.
    pub async fn fetch_all(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        let sql = exchange(self.names.as_deref(), sql);
        let Some(enqueued) = &mut self.enqueued else { return self.inner.fetch_all(&sql, args).await };
        enqueued.push(&sql, &args);
        let (script, checks) = enqueued.take();
        let mut rows = self.inner.query(&script).await?;
        Ok(rows.split_off(checks.min(rows.len())))
    }

    /// The first row that a query gives, if it gives one.
    ///
    /// # Errors
    /// See [`Transaction::fetch_all`].
    pub async fn fetch_optional(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<Option<Row>, DatabaseError> {
        Ok(self.fetch_all(sql, args).await?.into_iter().next())
    }

    /// Runs a statement and tells how many rows it affected (found, for an update).
    ///
    /// # Errors
    /// See [`Transaction::fetch_all`].
    pub async fn execute(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        self.send().await?;
        let sql = exchange(self.names.as_deref(), sql);
        self.inner.execute(&sql, args).await
    }

    /// Runs a statement, perhaps not before the next query or the commit.
    ///
    /// # Errors
    /// See [`Transaction::fetch_all`].
    pub async fn enqueue(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<(), DatabaseError> {
        let names = self.names.clone();
        self.add(&exchange(names.as_deref(), sql), args).await
    }

    /// The same of a statement that must affect (find, for an update) so many rows. `false`: it did not.
    ///
    /// # Errors
    /// See [`Transaction::fetch_all`]. In a batched transaction it is one of the next errors that tells that the number
    /// was another one, and the statements after it are not run.
    pub async fn expect(&mut self, rows: u64, sql: &str, args: Vec<SqlValue>) -> Result<bool, DatabaseError> {
        let sql = exchange(self.names.as_deref(), sql);
        match &mut self.enqueued {
            Some(enqueued) => {
                enqueued.push(&sql, &args);
                enqueued.check(rows);
                self.send_if_large().await?;
                Ok(true)
            }
            None => Ok(self.inner.execute(&sql, args).await? == rows),
        }
    }

    /// Inserts rows, many at once and in their order, as [`Transaction::enqueue`] does. Each row holds one value for each
    /// column.
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
            self.add(&sql, values).await?;
        }
        Ok(())
    }

    /// Makes what was written durable and visible.
    ///
    /// # Errors
    /// See [`Transaction::fetch_all`]; after `Unavailable` only looking tells whether it was committed.
    pub async fn commit(self) -> Result<(), DatabaseError> {
        let mut last = self.enqueued.map(|mut enqueued| enqueued.take().0).unwrap_or_default();
        last.push_str("COMMIT");
        self.inner.commit(last).await
    }

    async fn add(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<(), DatabaseError> {
        match &mut self.enqueued {
            Some(enqueued) => {
                enqueued.push(sql, &args);
                self.send_if_large().await
            }
            None => self.inner.execute(sql, args).await.map(|_| ()),
        }
    }

    async fn send(&mut self) -> Result<(), DatabaseError> {
        let script = self.enqueued.as_mut().map(|enqueued| enqueued.take().0).unwrap_or_default();
        if script.is_empty() { Ok(()) } else { self.inner.run(&script).await }
    }

    async fn send_if_large(&mut self) -> Result<(), DatabaseError> {
        let is_large = self.enqueued.as_ref().is_some_and(|enqueued| enqueued.len() > MOST_ENQUEUED);
        if is_large { self.send().await } else { Ok(()) }
    }
}

impl Inner {
    async fn fetch_all(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        match self {
            Self::Mysql(tx) => tx.fetch_all(sql, args).await,
            Self::Sqlite(tx) => tx.fetch_all(sql, args).await,
        }
    }

    async fn execute(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        match self {
            Self::Mysql(tx) => tx.execute(sql, args).await,
            Self::Sqlite(tx) => tx.execute(sql, args).await,
        }
    }

    async fn query(&mut self, script: &str) -> Result<Vec<Row>, DatabaseError> {
        match self {
            Self::Mysql(tx) => tx.query(script).await,
            Self::Sqlite(tx) => tx.query(script).await,
        }
    }

    async fn run(&mut self, script: &str) -> Result<(), DatabaseError> {
        match self {
            Self::Mysql(tx) => tx.run(script).await,
            Self::Sqlite(tx) => tx.run(script).await,
        }
    }

    async fn commit(self, script: String) -> Result<(), DatabaseError> {
        match self {
            Self::Mysql(tx) => tx.commit(&script).await,
            Self::Sqlite(tx) => tx.commit(script).await,
        }
    }
}

/// A statement with the names that tables have in it.
pub(crate) fn exchange<'a>(names: Option<&TableNames>, sql: &'a str) -> Cow<'a, str> {
    names.map_or(Cow::Borrowed(sql), |names| names.apply(sql))
}
