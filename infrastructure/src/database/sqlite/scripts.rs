//! Whole transactions, which a thread of their own runs from the first statement to the last.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rusqlite::{Connection, OpenFlags};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::{BUSY_TIMEOUT, DatabaseError, Guard, Writing};

/// As for the connections of sqlx that write. How much the write-ahead log holds before it is moved into the file: pages that
/// many commits change are written there once, and with SQLite's own 1,000 that was a tenth of the work.
const PRAGMAS: &str = "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; \
                       PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4096";

/// When a transaction is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::database) enum Durability {
    /// When it has ended, as a commit of the log must be.
    Flushed,
    /// With the next one that is flushed.
    Unflushed,
}

/// Runs scripts that begin a transaction and end it, in order. sqlx reports each statement of a script by itself, and wakes
/// whoever waits as often: that took longer than the statements did.
#[derive(Clone)]
pub(super) struct Scripts {
    jobs: Sender<Job>,
}

struct Job {
    script: String,
    durability: Durability,
    answer: oneshot::Sender<Result<(), DatabaseError>>,
}

/// The thread ended; by a panic, as it lives as long as somebody may ask it.
const fn crashed() -> DatabaseError {
    DatabaseError::NoAnswer
}

impl Scripts {
    /// Starts the thread; the file is opened when there is something to run.
    pub(super) fn start(file: PathBuf, writing: Writing) -> Result<Self, DatabaseError> {
        let (jobs, incoming) = channel();
        let runtime = Handle::current();
        let writer = Writer { file, writing, runtime, open: None };
        let thread = thread::Builder::new().name("sqlite-scripts".to_owned());
        thread.spawn(move || writer.run(&incoming)).map_err(sqlx::Error::Io)?;
        Ok(Self { jobs })
    }

    /// Runs a script while nobody else writes. Given up before its turn it is not run, afterwards it is run to its end. One
    /// that fails has changed nothing.
    pub(super) async fn run(&self, script: String, durability: Durability) -> Result<(), DatabaseError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job { script, durability, answer }).map_err(|_| crashed())?;
        answered.await.map_err(|_| crashed())?
    }
}

struct Writer {
    file: PathBuf,
    writing: Writing,
    runtime: Handle,
    open: Option<Opened>,
}

/// A connection, and what it does at a commit.
struct Opened {
    connection: Connection,
    durability: Durability,
}

impl Writer {
    fn run(mut self, incoming: &Receiver<Job>) {
        while let Ok(Job { script, durability, answer }) = incoming.recv() {
            if !answer.is_closed() {
                let outcome = self.transact(&script, durability);
                // Who has gone away does not need to know.
                drop(answer.send(outcome));
            }
        }
    }

    fn transact(&mut self, script: &str, durability: Durability) -> Result<(), DatabaseError> {
        let _right = self.right_to_write()?;
        let mut opened = match self.open.take() {
            Some(opened) => opened,
            None => Opened::open(&self.file)?,
        };
        opened.commit_as(durability)?;
        let outcome = opened.connection.execute_batch(script);
        debug_assert!(outcome.is_err() || opened.connection.is_autocommit(), "a script that does not end: {script}");
        if opened.connection.is_autocommit() || opened.connection.execute_batch("ROLLBACK").is_ok() {
            self.open = Some(opened);
        }
        Ok(outcome?)
    }

    fn right_to_write(&self) -> Result<Guard, DatabaseError> {
        match self.writing.writers.clone().try_lock_owned() {
            Ok(writers) if !writers.unsettled => Ok(writers),
            busy => {
                drop(busy);
                self.runtime.block_on(self.writing.lock())
            }
        }
    }
}

impl Opened {
    fn open(file: &PathBuf) -> Result<Self, DatabaseError> {
        // Each connection is used by one thread at a time.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.execute_batch(PRAGMAS)?;
        Ok(Self { connection, durability: Durability::Flushed })
    }

    /// One connection for both kinds of transactions: another one's commit would make it read its pages anew.
    fn commit_as(&mut self, durability: Durability) -> Result<(), DatabaseError> {
        if self.durability != durability {
            let pragma = match durability {
                Durability::Flushed => "PRAGMA synchronous = FULL",
                Durability::Unflushed => "PRAGMA synchronous = NORMAL",
            };
            self.connection.execute_batch(pragma)?;
            self.durability = durability;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Poll;

    use futures::poll;

    use super::super::Sqlite;
    use super::*;
    use crate::database::{DatabaseOptions, ErrorClass};

    async fn with_table(folder: &tempfile::TempDir) -> Sqlite {
        let url = format!("sqlite:{}", folder.path().join("log.db").display());
        let sqlite = Sqlite::open(&url, DatabaseOptions::default()).await.unwrap();
        sqlite.execute("CREATE TABLE t (x INTEGER PRIMARY KEY CHECK (x > 0))", vec![]).await.unwrap();
        sqlite
    }

    fn insert(x: i64) -> String {
        format!("BEGIN IMMEDIATE; INSERT INTO t VALUES ({x}); COMMIT")
    }

    async fn rows(sqlite: &Sqlite) -> Vec<i64> {
        let rows = sqlite.fetch_all("SELECT x FROM t ORDER BY x", vec![]).await.unwrap();
        rows.iter().map(|row| row.int("x").unwrap()).collect()
    }

    #[tokio::test]
    async fn script_that_fails_changes_nothing_and_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = with_table(&folder).await;
        sqlite.scripts.run(insert(1), Durability::Flushed).await.unwrap();
        let fails = [
            (insert(1), ErrorClass::DuplicateKey),
            (insert(-1), ErrorClass::Other),
            (
                "BEGIN IMMEDIATE; INSERT INTO t VALUES (2); SELECT abs(-9223372036854775807 - 1); COMMIT".to_owned(),
                ErrorClass::Other,
            ),
            (
                "BEGIN IMMEDIATE; INSERT INTO t VALUES (2); INSERT INTO nowhere VALUES (1); COMMIT".to_owned(),
                ErrorClass::Other,
            ),
        ];
        for (script, class) in fails {
            let error = sqlite.scripts.run(script, Durability::Unflushed).await.unwrap_err();
            assert_eq!(error.class(), class, "{error:?}");
            // Another connection gets its turn, and the same one again.
            assert_eq!(sqlite.execute("INSERT INTO t VALUES (9)", vec![]).await.unwrap(), 1);
            sqlite
                .scripts
                .run("BEGIN IMMEDIATE; DELETE FROM t WHERE x = 9; COMMIT".to_owned(), Durability::Flushed)
                .await
                .unwrap();
            assert_eq!(rows(&sqlite).await, [1]);
        }
        let check = sqlite.scripts.run(insert(-1), Durability::Flushed).await.unwrap_err();
        assert!(matches!(check, DatabaseError::Check(_)), "{check:?}");
    }

    #[tokio::test]
    async fn script_waits_for_its_turn_and_is_not_run_when_it_was_given_up_before() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = with_table(&folder).await;
        let mut writing = sqlite.session();
        writing.lock().await.unwrap();
        let mut first = pin!(sqlite.scripts.run(insert(1), Durability::Flushed));
        assert_eq!(poll!(&mut first).map(|_| ()), Poll::Pending);
        {
            let mut given_up = pin!(sqlite.scripts.run(insert(2), Durability::Flushed));
            assert_eq!(poll!(&mut given_up).map(|_| ()), Poll::Pending);
        }
        let mut last = pin!(sqlite.scripts.run(insert(3), Durability::Flushed));
        assert_eq!(poll!(&mut last).map(|_| ()), Poll::Pending);
        writing.run("BEGIN IMMEDIATE; INSERT INTO t VALUES (4); COMMIT").await.unwrap();
        assert_eq!(rows(&sqlite).await, [4]);
        writing.close();
        first.await.unwrap();
        last.await.unwrap();
        assert_eq!(rows(&sqlite).await, [1, 3, 4]);
    }

    #[tokio::test]
    async fn what_a_dropped_transaction_left_open_is_ended_before_the_next_script() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = with_table(&folder).await;
        let mut dropped = sqlite.transaction();
        dropped.run("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)").await.unwrap();
        drop(dropped);
        sqlite.scripts.run(insert(2), Durability::Unflushed).await.unwrap();
        assert_eq!(rows(&sqlite).await, [2]);
    }

    #[tokio::test]
    async fn script_gives_up_when_others_write_for_too_long() {
        let folder = tempfile::tempdir().unwrap();
        let mut sqlite = with_table(&folder).await;
        sqlite.writing.acquire_timeout = std::time::Duration::from_millis(20);
        let scripts = Scripts::start(folder.path().join("log.db"), sqlite.writing.clone()).unwrap();
        let mut writing = sqlite.session();
        writing.lock().await.unwrap();
        let refused = scripts.run(insert(1), Durability::Flushed).await.unwrap_err();
        assert!(matches!(refused, DatabaseError::Exhausted), "{refused:?}");
        writing.close();
        scripts.run(insert(2), Durability::Flushed).await.unwrap();
        assert_eq!(rows(&sqlite).await, [2]);
    }

    #[test]
    fn commits_of_the_log_are_flushed_whatever_came_before() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log.db");
        drop(Connection::open(&file).unwrap());
        let mut opened = Opened::open(&file).unwrap();
        let synchronous = |opened: &Opened| -> i64 {
            opened.connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap()
        };
        // FULL is 2, NORMAL 1.
        assert_eq!(synchronous(&opened), 2);
        for (durability, expected) in [(Durability::Unflushed, 1), (Durability::Flushed, 2), (Durability::Flushed, 2)] {
            opened.commit_as(durability).unwrap();
            assert_eq!(synchronous(&opened), expected, "{durability:?}");
        }
    }
}
