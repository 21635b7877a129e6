//! One portable layer over MySQL (or MariaDB) and SQLite: the same SQL text with `?` placeholders runs on both.

mod dialect;
mod error;
mod mysql;
mod options;
mod row;
mod schema;
mod session;
mod snapshot;
mod sqlite;
mod statements;
mod table_names;
mod transaction;
mod value;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use sqlx::MySqlPool;

pub use dialect::Dialect;
pub use error::{DatabaseError, DriverError, ErrorClass, RowError};
pub use options::DatabaseOptions;
pub use row::Row;
pub(crate) use schema::new_epoch;
pub use schema::{Holder, MigrateError, PrimaryKey, SchemaLock, TableCopies};
use session::Inner as SessionInner;
pub use session::Session;
pub use snapshot::ReadSnapshot;
pub(crate) use sqlite::is_foreign;
pub use sqlite::{SqliteVersion, has_foreign_wal, unwritable_place};
pub use statements::{CHUNKS, placeholders};
pub(crate) use statements::{Statement, WholeTransaction, push_text};
pub use table_names::TableNames;
pub use transaction::Transaction;
pub use value::SqlValue;

pub(crate) use mysql::RELIED_ON;

use mysql::Mysql;
use sqlite::Sqlite;
use transaction::Inner;

/// A database, with its connections. Clones share them.
#[derive(Clone)]
pub struct Database {
    backend: Arc<Backend>,
    names: Option<Arc<TableNames>>,
}

/// Which database it is.
pub(crate) enum Backend {
    /// MySQL or MariaDB.
    Mysql(Mysql),
    /// An SQLite file.
    Sqlite(Sqlite),
}

impl Database {
    /// Connects to `mysql://…`, or opens (and creates, but for `?mode=rw` and `?mode=ro`) the file of `sqlite:PATH` or
    /// `sqlite://PATH`.
    ///
    /// # Errors
    /// When the address is not understood or the database does not answer.
    pub async fn connect(url: &str, options: DatabaseOptions) -> Result<Self, DatabaseError> {
        let backend = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("mysql" | "mariadb") => Backend::Mysql(Mysql::connect(url, options).await?),
            Some("sqlite") => Backend::Sqlite(Sqlite::open(url, options).await?),
            _ => return Err(DatabaseError::Address("expected mysql://… or sqlite:PATH")),
        };
        Ok(Self { backend: Arc::new(backend), names: None })
    }

    /// The same database, in which some tables are called otherwise.
    #[must_use]
    pub fn with_tables(&self, names: TableNames) -> Self {
        Self { backend: Arc::clone(&self.backend), names: Some(Arc::new(names)) }
    }

    /// How some tables are called otherwise.
    #[must_use]
    pub fn table_names(&self) -> Option<Arc<TableNames>> {
        self.names.clone()
    }

    /// Whether an address can be understood, whatever is there: `mysql://…` with the name of a database, or `sqlite:PATH`.
    #[must_use]
    pub fn is_address(url: &str) -> bool {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("mysql" | "mariadb") => mysql::address(url).is_ok_and(|address| address.get_database().is_some()),
            _ => Self::file(url).is_some(),
        }
    }

    /// The file of `sqlite:PATH`; none when the address names a server, or nothing that can be opened.
    #[must_use]
    pub fn file(url: &str) -> Option<PathBuf> {
        url.starts_with("sqlite:").then(|| sqlite::path(url).ok()).flatten()
    }

    /// The dialect of its SQL, for the few texts that differ.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.backend() {
            Backend::Mysql(_) => Dialect::Mysql,
            Backend::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// How often the server was seen to have been restarted since this node connected to it: at the latest before anything
    /// is read from it.
    pub(crate) fn restarts(&self) -> u64 {
        match self.backend() {
            Backend::Mysql(mysql) => mysql.restarts(),
            // It ends with the program.
            Backend::Sqlite(_) => 0,
        }
    }

    /// Whether the file of SQLite at the path is not the one that is open any more. Only a restart of the program helps.
    #[must_use]
    pub fn was_exchanged(&self) -> bool {
        match self.backend() {
            // A server that was exchanged shows by the log's epoch.
            Backend::Mysql(_) => false,
            Backend::Sqlite(sqlite) => sqlite.was_exchanged(),
        }
    }

    /// Makes all connections of the pool again if an error of another connection says that they lead to the wrong server.
    pub(crate) fn note(&self, error: &DatabaseError) {
        if let Backend::Mysql(mysql) = self.backend() {
            mysql.note(error);
        }
    }

    /// An SQL expression for the database's own time in microseconds since the Unix epoch.
    #[must_use]
    pub fn now_micros(&self) -> &'static str {
        self.dialect().now_micros()
    }

    /// The rows that a query gives. Only for reading: it may be sent again when a connection turns out to be dead.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn fetch_all(&self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        metrics::counter!("livechatlog_database_reads_total").increment(1);
        let sql = table_names::exchange(self.names.as_deref(), sql);
        match self.backend() {
            Backend::Mysql(mysql) => mysql.fetch_all(&sql, args).await,
            Backend::Sqlite(sqlite) => sqlite.fetch_all(&sql, args).await,
        }
    }

    /// The first row that a query gives, if it gives one. Only for reading.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn fetch_optional(&self, sql: &str, args: Vec<SqlValue>) -> Result<Option<Row>, DatabaseError> {
        Ok(self.fetch_all(sql, args).await?.into_iter().next())
    }

    /// Runs a statement by itself and returns the number of rows that it has affected (found, for an update). They are on
    /// disk then.
    ///
    /// Do not call it while holding a [`Transaction`]: on SQLite there is one writer at a time.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn execute(&self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        let sql = table_names::exchange(self.names.as_deref(), sql);
        match self.backend() {
            Backend::Mysql(mysql) => mysql.execute(&sql, args).await,
            Backend::Sqlite(sqlite) => sqlite.execute(&sql, args).await,
        }
    }

    /// The same, but on SQLite a power cut may undo it: for rows that are soon written again, such as leases, and for what
    /// can be made again.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn execute_unflushed(&self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        let sql = table_names::exchange(self.names.as_deref(), sql);
        match self.backend() {
            Backend::Mysql(mysql) => mysql.execute(&sql, args).await,
            Backend::Sqlite(sqlite) => sqlite.execute_unflushed(&sql, args).await,
        }
    }

    /// Begins a write transaction for read models and other replayable or small tables.
    ///
    /// # Errors
    /// See [`DatabaseError`]; `Unavailable` when no connection becomes free in time.
    pub async fn begin_view(&self) -> Result<Transaction, DatabaseError> {
        let mut tx = self.begin_batched_view().await?;
        tx.send_each().await?;
        Ok(tx)
    }

    /// The same in few journeys to the database: what is enqueued is sent with the next query, or with the commit. Values
    /// are part of the statements' text, which is worth it for a few rows only.
    ///
    /// # Errors
    /// See [`Database::begin_view`]; on SQLite it is what is sent first that waits for the right to write.
    pub async fn begin_batched_view(&self) -> Result<Transaction, DatabaseError> {
        let inner = match self.backend() {
            Backend::Mysql(mysql) => Inner::Mysql(mysql.transaction().await?),
            Backend::Sqlite(sqlite) => Inner::Sqlite(sqlite.transaction()),
        };
        Ok(Transaction::new(inner, self.names.clone()))
    }

    /// What the database holds now, for reading at leisure while others go on writing.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn snapshot(&self) -> Result<ReadSnapshot, DatabaseError> {
        ReadSnapshot::take(self).await
    }

    /// A connection of its own that runs scripts durably. On SQLite it keeps every other writer out for as long as it
    /// lives.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn log_session(&self) -> Result<Session, DatabaseError> {
        let mut session = self.shared_log_session().await?;
        if let SessionInner::Sqlite(session) = &mut session.0 {
            session.lock().await?;
        }
        Ok(session)
    }

    /// The same for the log's appender: on SQLite others may write until a script is run on it that is not a whole
    /// transaction.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn shared_log_session(&self) -> Result<Session, DatabaseError> {
        match self.backend() {
            Backend::Mysql(mysql) => mysql.session().await,
            Backend::Sqlite(sqlite) => Ok(Session(SessionInner::Sqlite(sqlite.session()))),
        }
    }

    /// Removes overwritten data from the disk where a program can ask for it: SQLite's write-ahead log. Returns whether nothing
    /// is left there. MySQL does so by itself, in its own time.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn wipe(&self) -> Result<bool, DatabaseError> {
        match self.backend() {
            Backend::Mysql(_) => Ok(true),
            Backend::Sqlite(sqlite) => sqlite.empty_wal().await,
        }
    }

    /// The names of the steps by which the schema is behind this program. Nothing is changed.
    ///
    /// # Errors
    /// When the schema is not one that this program can bring up to date, or the database does not work.
    pub async fn pending_migrations(&self) -> Result<Vec<&'static str>, MigrateError> {
        schema::pending(self).await
    }

    /// Whether these missing steps, of [`Self::pending_migrations`], are all: the database holds nothing yet.
    #[must_use]
    pub fn is_new(pending: &[&str]) -> bool {
        schema::are_all(pending)
    }

    /// Whether there is a table of this name.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn has_table(&self, name: &str) -> Result<bool, DatabaseError> {
        schema::has_table(self, name).await
    }

    /// The version of the schema that this program works on.
    #[must_use]
    pub fn known_schema() -> i64 {
        schema::newest()
    }

    /// Keeps other programs from starting on this database. Waits for a minute at most.
    ///
    /// # Errors
    /// See [`MigrateError`].
    pub async fn lock_schema(&self) -> Result<SchemaLock, MigrateError> {
        SchemaLock::take(self).await
    }

    /// Brings the schema up to this program's version and makes sure that the log has a head.
    ///
    /// # Errors
    /// See [`MigrateError`].
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        schema::run(self).await
    }

    /// Closes the connections, after those in use have come back.
    pub async fn close(&self) {
        match self.backend() {
            Backend::Mysql(mysql) => mysql.pool().close().await,
            Backend::Sqlite(sqlite) => sqlite.close().await,
        }
    }

    /// The pool of MySQL, for crates that work on sqlx itself.
    pub(crate) fn mysql_pool(&self) -> Option<&MySqlPool> {
        match self.backend() {
            Backend::Mysql(mysql) => Some(mysql.pool()),
            Backend::Sqlite(_) => None,
        }
    }

    fn backend(&self) -> &Backend {
        &self.backend
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the address: it may hold a password.
        f.debug_struct("Database").field("dialect", &self.dialect()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
