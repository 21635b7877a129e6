//! The connections that read, alongside the one that writes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::address::Mode;
use super::connection::{self, run};
use super::identity::OpenFile;
use crate::database::row::Row;
use crate::database::statements::Statement;
use crate::database::{DatabaseError, SqlValue};

const READERS: u32 = 4;

/// A pool of reading connections. They are opened when they are needed, and kept.
pub(super) struct Readers {
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
    acquire_timeout: Duration,
}

struct Shared {
    file: OpenFile,
    mode: Mode,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(file: OpenFile, mode: Mode, acquire_timeout: Duration) -> Self {
        let shared = Arc::new(Shared { file, mode, idle: Mutex::default() });
        Self { shared, permits: Arc::new(Semaphore::new(READERS as usize)), acquire_timeout }
    }

    pub(super) fn file(&self) -> &OpenFile {
        &self.shared.file
    }

    /// Runs a query on any connection.
    pub(super) async fn fetch_all(&self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        let statement = Statement::new(sql, args);
        let (rows, _) = self.acquire().await?.run(move |connection| run(connection, &statement)).await?;
        Ok(rows.rows)
    }

    /// Waits for a connection.
    pub(super) async fn acquire(&self) -> Result<Reader, DatabaseError> {
        let permit = timeout(self.acquire_timeout, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit.map_err(|_| DatabaseError::Exhausted)?.map_err(|_| DatabaseError::Closed)?;
        Ok(Reader { connection: self.shared.idle().pop(), shared: Arc::clone(&self.shared), _permit: permit })
    }

    /// Waits for the connections in use, and closes all of them. Later queries fail.
    pub(super) async fn close(&self) {
        if let Ok(all) = self.permits.acquire_many(READERS).await {
            self.permits.close();
            self.shared.idle().clear();
            drop(all);
        }
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<Connection, DatabaseError> {
        let connection = connection::open(self.file.path(), self.mode)?;
        // Before anything is read: it may be another file than the writer's.
        self.file.ensure_in_place()?;
        connection::set(&connection, "query_only", "ON")?;
        Ok(connection)
    }
}

/// A connection in use. Dropped, it returns to the pool, unless it has an open transaction: then it is closed.
pub(crate) struct Reader {
    connection: Option<Connection>,
    shared: Arc<Shared>,
    // After the connection: the next holder of the permit finds it in the pool.
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    /// Runs something on a thread that may block. If the caller gives up, SQLite is interrupted.
    pub(super) async fn run<T: Send + 'static>(
        mut self,
        work: impl FnOnce(&Connection) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<(T, Self), DatabaseError> {
        let running = Running::default();
        let _interrupts = Interrupts(running.clone());
        let task = move || {
            self.shared.file.ensure_in_place()?;
            let connection = match self.connection.take() {
                Some(connection) => connection,
                None => self.shared.open()?,
            };
            let connection = self.connection.insert(connection);
            running.begin(connection.get_interrupt_handle())?;
            let outcome = work(connection);
            running.end();
            Ok((outcome?, self))
        };
        spawn_blocking(task).await.unwrap_or(Err(DatabaseError::NoAnswer))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take().filter(Connection::is_autocommit) {
            self.shared.idle().push(connection);
        }
    }
}

/// What an interruption would meet.
#[derive(Default)]
enum Progress {
    #[default]
    Waiting,
    Running(InterruptHandle),
    Over,
}

/// Shared by the thread that runs a query and the caller that waits for it.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<Progress>>);

impl Running {
    fn begin(&self, handle: InterruptHandle) -> Result<(), DatabaseError> {
        let mut progress = self.progress();
        if matches!(*progress, Progress::Over) {
            return Err(DatabaseError::NoAnswer);
        }
        *progress = Progress::Running(handle);
        Ok(())
    }

    fn end(&self) {
        *self.progress() = Progress::Over;
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Interrupts a query that is not over when this is dropped. Under the lock, so that it cannot meet the next user of the
/// connection.
struct Interrupts(Running);

impl Drop for Interrupts {
    fn drop(&mut self) {
        let mut progress = self.0.progress();
        if let Progress::Running(handle) = &*progress {
            handle.interrupt();
        }
        *progress = Progress::Over;
    }
}
