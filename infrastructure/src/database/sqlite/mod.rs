//! SQLite: readers beside writing connections that share one lock.

mod scripts;

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, SqlitePool};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

use super::row::Row;
use super::value::bind_sqlite;
use super::{DatabaseError, DatabaseOptions, SqlValue};
use scripts::{Durability, Scripts};

const READERS: u32 = 4;

/// How long SQLite waits for a lock of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long writers wait for readers so that the write-ahead log can be emptied.
const WAIT_FOR_READERS: Duration = Duration::from_millis(500);

/// How many pages of 4 KiB the write-ahead log holds before the connection of the views moves them into the file. It is the
/// one that writes in bulk: with SQLite's own 1,000 every page of a rebuild was written twice, and a rebuild took a
/// quarter longer. Where messages are sent, the connection of the scripts comes first, with fewer.
const BULK_PAGES: &str = "16384";

/// What holds for every connection. What is deleted or overwritten is gone from the file: people may ask for it. The
/// write-ahead log's file keeps 64 MiB of what it grew to while somebody read for long.
const PRAGMAS: [(&str, &str); 3] =
    [("foreign_keys", "ON"), ("secure_delete", "ON"), ("journal_size_limit", "67108864")];

/// A file with its connections.
pub(crate) struct Sqlite {
    readers: SqlitePool,
    writing: Writing,
    scripts: Scripts,
    options: Box<SqliteConnectOptions>,
}

/// The way to the right to write. Clones share it.
#[derive(Clone)]
struct Writing {
    // SQLite lets one connection write at a time; waiting here is fair, waiting inside of SQLite is not.
    writers: Arc<Mutex<Writers>>,
    acquire_timeout: Duration,
}

/// The connections that write, beside the one of the scripts. The log's commits are on the disk when they return; those of
/// the views may be lost by a power cut, together with their checkpoint, and are then projected again.
struct Writers {
    log: SqliteConnection,
    view: SqliteConnection,
    /// A transaction may be open, because the future that held it was dropped.
    unsettled: bool,
}

/// The right to write.
type Guard = OwnedMutexGuard<Writers>;

impl Sqlite {
    pub(crate) async fn open(url: &str, options: DatabaseOptions) -> Result<Self, DatabaseError> {
        let (path, mode) = address(url)?;
        if mode == Mode::Created {
            create_private(&path)?;
        }
        let base = base_options(&path).create_if_missing(mode == Mode::Created).read_only(mode == Mode::ReadOnly);
        let log =
            base.clone().synchronous(SqliteSynchronous::Full).journal_mode(SqliteJournalMode::Wal).connect().await?;
        // Not for the connection that makes indexes: it would sort all they hold in memory.
        let view = base
            .clone()
            .pragma("temp_store", "MEMORY")
            .synchronous(SqliteSynchronous::Normal)
            .pragma("wal_autocheckpoint", BULK_PAGES);
        let view = view.connect().await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .acquire_timeout(options.acquire_timeout)
            .connect_with(base.clone().pragma("query_only", "ON"))
            .await?;
        let writers = Arc::new(Mutex::new(Writers { log, view, unsettled: false }));
        let writing = Writing { writers, acquire_timeout: options.acquire_timeout };
        let scripts = Scripts::start(path, mode, writing.clone())?;
        Ok(Self { readers, writing, scripts, options: Box::new(base) })
    }

    pub(crate) const fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    pub(crate) async fn fetch_all(&self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        let rows = bind_sqlite(sql, args).fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(Row::from).collect())
    }

    pub(crate) async fn execute(&self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        let mut writers = self.writing.lock().await?;
        Ok(bind_sqlite(sql, args).execute(&mut writers.view).await?.rows_affected())
    }

    /// For a transaction that has still to be begun.
    pub(crate) fn transaction(&self) -> SqliteTransaction {
        SqliteTransaction { right: self.writing.right(), scripts: self.scripts.clone() }
    }

    /// For scripts of the log, between which others may write.
    pub(crate) fn session(&self) -> SqliteSession {
        SqliteSession { right: self.writing.right(), scripts: self.scripts.clone() }
    }

    pub(crate) async fn close(&self) {
        // Taking the lock lets the last transaction finish; the connections close when the last clone is dropped.
        drop(self.writing.lock().await);
        self.readers.close().await;
    }

    /// Moves the write-ahead log into the file and empties it. Tells whether that was possible: it is not while somebody
    /// reads what was before.
    pub(crate) async fn empty_wal(&self) -> Result<bool, DatabaseError> {
        let _nobody_writes = self.writing.lock().await?;
        let mut connection = self.options.as_ref().clone().busy_timeout(WAIT_FOR_READERS).connect().await?;
        let row = Row::from(connection.fetch_one(sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")).await?);
        connection.close().await?;
        Ok(row.int("busy")? == 0)
    }
}

impl Writing {
    /// One that was not taken yet.
    fn right(&self) -> Right {
        Right { writing: self.clone(), held: None }
    }

    /// Waits for the right to write, and ends what a dropped future left open.
    async fn lock(&self) -> Result<Guard, DatabaseError> {
        let waiting = timeout(self.acquire_timeout, self.writers.clone().lock_owned()).await;
        let mut writers = waiting.map_err(|_| DatabaseError::Exhausted)?;
        if writers.unsettled {
            rollback(&mut writers.view).await;
            rollback(&mut writers.log).await;
            writers.unsettled = false;
        }
        Ok(writers)
    }
}

/// Rolls back; that there is nothing to roll back is fine.
async fn rollback(connection: &mut SqliteConnection) {
    if let Err(error) = connection.execute(sqlx::raw_sql("ROLLBACK")).await {
        tracing::trace!(%error, "nothing rolled back");
    }
}

/// The right to write, taken when it is needed.
struct Right {
    writing: Writing,
    held: Option<Guard>,
}

impl Right {
    async fn take(&mut self) -> Result<&mut Writers, DatabaseError> {
        let held = match self.held.take() {
            Some(held) => held,
            None => self.writing.lock().await?,
        };
        let writers = self.held.insert(held);
        writers.unsettled = true;
        Ok(writers)
    }

    const fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Gives it back after the transaction has ended.
    fn settle(&mut self) {
        if let Some(mut writers) = self.held.take() {
            writers.unsettled = false;
        }
    }
}

/// A transaction on the connection of the views; or on that of the scripts, when it is sent as a whole.
pub(crate) struct SqliteTransaction {
    right: Right,
    scripts: Scripts,
}

impl SqliteTransaction {
    pub(crate) async fn fetch_all(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        let rows = bind_sqlite(sql, args).fetch_all(&mut self.right.take().await?.view).await?;
        Ok(rows.into_iter().map(Row::from).collect())
    }

    pub(crate) async fn execute(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        Ok(bind_sqlite(sql, args).execute(&mut self.right.take().await?.view).await?.rows_affected())
    }

    pub(crate) async fn query(&mut self, script: &str) -> Result<Vec<Row>, DatabaseError> {
        let rows = self.right.take().await?.view.fetch_all(sqlx::raw_sql(script)).await?;
        Ok(rows.into_iter().map(Row::from).collect())
    }

    pub(crate) async fn run(&mut self, script: &str) -> Result<(), DatabaseError> {
        self.right.take().await?.view.execute(sqlx::raw_sql(script)).await?;
        Ok(())
    }

    /// With the script that ends it.
    pub(crate) async fn commit(mut self, script: String) -> Result<(), DatabaseError> {
        if !self.right.is_held() {
            return self.scripts.run(script, Durability::Unflushed).await;
        }
        self.run(&script).await?;
        self.right.settle();
        Ok(())
    }
}

/// Scripts on the connection of the log; or on that of the scripts, those that are whole transactions.
pub(crate) struct SqliteSession {
    right: Right,
    scripts: Scripts,
}

impl SqliteSession {
    /// Keeps every other writer out until it is closed.
    pub(crate) async fn lock(&mut self) -> Result<(), DatabaseError> {
        self.right.take().await.map(|_| ())
    }

    pub(crate) async fn run(&mut self, script: &str) -> Result<u64, DatabaseError> {
        Ok(self.right.take().await?.log.execute(sqlx::raw_sql(script)).await?.rows_affected())
    }

    pub(crate) async fn run_whole(&mut self, script: String) -> Result<(), DatabaseError> {
        if self.right.is_held() {
            return self.run(&script).await.map(|_| ());
        }
        self.scripts.run(script, Durability::Flushed).await
    }

    pub(crate) async fn query(&mut self, script: &str) -> Result<Vec<Row>, DatabaseError> {
        let rows = self.right.take().await?.log.fetch_all(sqlx::raw_sql(script)).await?;
        Ok(rows.into_iter().map(Row::from).collect())
    }

    pub(crate) async fn rollback(&mut self) {
        if let Some(writers) = &mut self.right.held {
            rollback(&mut writers.log).await;
        }
    }

    pub(crate) fn close(mut self) {
        self.right.settle();
    }
}

/// Makes the file, if there is none, one that only its owner can read; SQLite gives the files beside it the same rights.
/// One that is there is not opened: closing it would take the locks off it that SQLite may hold elsewhere in this process.
fn create_private(path: &Path) -> Result<(), DatabaseError> {
    match OpenOptions::new().append(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(sqlx::Error::Io(error).into()),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn base_options(path: &Path) -> SqliteConnectOptions {
    // Statements carry what people write; that must not reach the program's log.
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT).disable_statement_logging();
    PRAGMAS.into_iter().fold(options, |options, (name, value)| options.pragma(name, value))
}

/// What is done with a file, by SQLite's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// `ro`: it is there, and is not changed.
    ReadOnly,
    /// `rw`: it is there.
    ReadWrite,
    /// `rwc`: it is made, if it is not there.
    Created,
}

/// The file that an address names.
pub(crate) fn path(url: &str) -> Result<PathBuf, DatabaseError> {
    address(url).map(|(path, _)| path)
}

fn address(url: &str) -> Result<(PathBuf, Mode), DatabaseError> {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    if path.is_empty() || path.starts_with(':') {
        return Err(DatabaseError::Address("sqlite needs the path of a file"));
    }
    let mode = match parameters {
        "" | "mode=rwc" => Mode::Created,
        "mode=rw" => Mode::ReadWrite,
        "mode=ro" => Mode::ReadOnly,
        // One that is silently left out would promise something.
        _ => return Err(DatabaseError::Address("sqlite:PATH takes no parameter but mode=ro, mode=rw or mode=rwc")),
    };
    Ok((PathBuf::from(path), mode))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn path_is_what_follows_the_scheme() {
        assert_eq!(path("sqlite:data/log.db").unwrap(), PathBuf::from("data/log.db"));
        for parameters in ["", "?mode=ro", "?mode=rw", "?mode=rwc"] {
            assert_eq!(path(&format!("sqlite:///var/log.db{parameters}")).unwrap(), PathBuf::from("/var/log.db"));
        }
        for parameters in ["?cache=shared", "?mode=memory", "?mode=ro&immutable=1"] {
            let refused = path(&format!("sqlite:///var/log.db{parameters}"));
            assert!(matches!(refused, Err(DatabaseError::Address(_))), "{parameters}");
        }
    }

    #[tokio::test]
    async fn mode_of_the_address_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let url = |mode| format!("sqlite:{}?mode={mode}", folder.path().join("log.db").display());
        let open = async |mode| Sqlite::open(&url(mode), DatabaseOptions::default()).await;
        assert!(open("rw").await.is_err() && open("ro").await.is_err(), "there is no file");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        open("rwc").await.unwrap().execute("CREATE TABLE t (x INTEGER)", vec![]).await.unwrap();
        open("rw").await.unwrap().execute("INSERT INTO t VALUES (1)", vec![]).await.unwrap();
        let read_only = open("ro").await.unwrap();
        assert_eq!(read_only.fetch_all("SELECT x FROM t", vec![]).await.unwrap().len(), 1);
        assert!(read_only.execute("INSERT INTO t VALUES (2)", vec![]).await.is_err());
        let script = "BEGIN IMMEDIATE; INSERT INTO t VALUES (2); COMMIT".to_owned();
        assert!(read_only.transaction().commit(script.clone()).await.is_err());
        open("rw").await.unwrap().transaction().commit(script).await.unwrap();
    }

    #[tokio::test]
    async fn new_file_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log.db");
        let database = Sqlite::open(&format!("sqlite:{}", file.display()), DatabaseOptions::default()).await.unwrap();
        database.execute("CREATE TABLE t (x INTEGER)", vec![]).await.unwrap();
        for name in ["log.db", "log.db-wal", "log.db-shm"] {
            let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn memory_is_refused_because_connections_would_not_share_it() {
        assert!(matches!(path("sqlite::memory:"), Err(DatabaseError::Address(_))));
    }
}
