//! Whole transactions, which a thread of their own runs from the first statement to the last.

use std::iter;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rusqlite::{Connection, OpenFlags};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::{BUSY_TIMEOUT, DatabaseError, Guard, Mode, PRAGMAS, Writing};

/// What holds for this connection beside [`PRAGMAS`]. The write-ahead log is moved into the file after 16 MiB: a page that
/// many commits change is written there once, and with SQLite's own 1,000 pages that was a tenth of the work. What a
/// statement of many rows might have to undo stays in memory; written to a file, it was another tenth.
const OWN_PRAGMAS: [(&str, &str); 3] =
    [("temp_store", "MEMORY"), ("synchronous", "FULL"), ("wal_autocheckpoint", "4096")];

/// So many scripts are run one after the other before others get their turn.
const MOST_AT_ONCE: usize = 16;

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

/// The thread has ended, by a panic: it lives as long as somebody may ask it.
const fn crashed() -> DatabaseError {
    DatabaseError::NoAnswer
}

impl Scripts {
    /// Starts the thread; the file is opened when there is something to run.
    pub(super) fn start(file: PathBuf, mode: Mode, writing: Writing) -> Result<Self, DatabaseError> {
        let (jobs, incoming) = channel();
        let runner = Runner { file, mode, writing, runtime: Handle::current(), open: None };
        let thread = thread::Builder::new().name("sqlite-scripts".to_owned());
        thread.spawn(move || runner.run(&incoming)).map_err(sqlx::Error::Io)?;
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

/// What the thread has.
struct Runner {
    file: PathBuf,
    mode: Mode,
    writing: Writing,
    runtime: Handle,
    open: Option<Opened>,
}

impl Runner {
    fn run(mut self, incoming: &Receiver<Job>) {
        while let Ok(first) = incoming.recv() {
            let right = self.right_to_write();
            // Whoever waits by now stands behind the first one only because there is one thread.
            let jobs: Vec<_> = iter::once(first).chain(incoming.try_iter()).take(MOST_AT_ONCE).collect();
            for job in jobs {
                let outcome = match right {
                    _ if job.answer.is_closed() => continue,
                    Ok(_) => self.transact(&job),
                    Err(_) => Err(DatabaseError::Exhausted),
                };
                // Who has gone away does not need to know.
                drop(job.answer.send(outcome));
            }
        }
    }

    fn transact(&mut self, job: &Job) -> Result<(), DatabaseError> {
        let mut opened = match self.open.take() {
            Some(opened) => opened,
            None => Opened::open(&self.file, self.mode)?,
        };
        opened.commit_as(job.durability)?;
        let outcome = opened.connection.execute_batch(&job.script);
        let has_ended = opened.connection.is_autocommit();
        if has_ended || opened.connection.execute_batch("ROLLBACK").is_ok() {
            self.open = Some(opened);
        }
        outcome?;
        // It would be said to be committed.
        if has_ended {
            Ok(())
        } else {
            Err(sqlx::Error::Protocol("a script did not end its transaction".into()).into())
        }
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

/// A connection, and what it does at a commit.
struct Opened {
    connection: Connection,
    durability: Durability,
}

impl Opened {
    fn open(file: &Path, mode: Mode) -> Result<Self, DatabaseError> {
        let access = match mode {
            Mode::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Mode::ReadWrite | Mode::Created => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        // It is used by one thread.
        let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        for (name, value) in PRAGMAS.into_iter().chain(OWN_PRAGMAS) {
            connection.execute_batch(&format!("PRAGMA {name} = {value}"))?;
        }
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

    use futures::future::join_all;
    use futures::poll;

    use super::super::{Sqlite, SqliteSession};
    use super::*;
    use crate::database::{DatabaseOptions, ErrorClass};

    async fn with_table(folder: &tempfile::TempDir) -> Sqlite {
        let url = format!("sqlite:{}", folder.path().join("log.db").display());
        let sqlite = Sqlite::open(&url, DatabaseOptions::default()).await.unwrap();
        sqlite.execute("CREATE TABLE t (x INTEGER PRIMARY KEY CHECK (x > 0))", vec![]).await.unwrap();
        sqlite
    }

    /// One in which somebody else has the right to write.
    async fn in_use(folder: &tempfile::TempDir) -> (Sqlite, SqliteSession) {
        let sqlite = with_table(folder).await;
        let mut writing = sqlite.session();
        writing.lock().await.unwrap();
        (sqlite, writing)
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
        let (sqlite, mut writing) = in_use(&folder).await;
        let mut second = {
            // The first one may be waiting for the right already.
            let mut given_up = pin!(sqlite.scripts.run(insert(1), Durability::Flushed));
            assert_eq!(poll!(&mut given_up).map(|_| ()), Poll::Pending);
            let mut second = Box::pin(sqlite.scripts.run(insert(2), Durability::Flushed));
            assert_eq!(poll!(&mut second).map(|_| ()), Poll::Pending);
            let mut given_up_too = pin!(sqlite.scripts.run(insert(3), Durability::Flushed));
            assert_eq!(poll!(&mut given_up_too).map(|_| ()), Poll::Pending);
            second
        };
        let mut last = pin!(sqlite.scripts.run(insert(5), Durability::Flushed));
        assert_eq!(poll!(&mut last).map(|_| ()), Poll::Pending);
        writing.run("BEGIN IMMEDIATE; INSERT INTO t VALUES (4); COMMIT").await.unwrap();
        assert_eq!(rows(&sqlite).await, [4]);
        writing.close();
        (&mut second).await.unwrap();
        last.await.unwrap();
        assert_eq!(rows(&sqlite).await, [2, 4, 5]);
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
        let scripts = Scripts::start(folder.path().join("log.db"), Mode::ReadWrite, sqlite.writing.clone()).unwrap();
        let mut writing = sqlite.session();
        writing.lock().await.unwrap();
        let refused = scripts.run(insert(1), Durability::Flushed).await.unwrap_err();
        assert!(matches!(refused, DatabaseError::Exhausted), "{refused:?}");
        writing.close();
        scripts.run(insert(2), Durability::Flushed).await.unwrap();
        assert_eq!(rows(&sqlite).await, [2]);
    }

    #[tokio::test]
    async fn scripts_that_wait_together_have_one_turn() {
        let folder = tempfile::tempdir().unwrap();
        let (sqlite, mut writing) = in_use(&folder).await;
        let scripts: Vec<_> = (1..=5).map(|x| Box::pin(sqlite.scripts.run(insert(x), Durability::Unflushed))).collect();
        let mut scripts = join_all(scripts);
        assert!(poll!(&mut scripts).is_pending());
        // Somebody who writes all the time: who begins to wait for the next turn before the last one ends.
        while poll!(&mut scripts).is_pending() {
            let mut next = sqlite.session();
            {
                let mut waiting = Box::pin(next.lock());
                let has_it = poll!(&mut waiting);
                writing.close();
                if has_it.is_pending() {
                    waiting.await.unwrap();
                }
            }
            let done = rows(&sqlite).await.len();
            assert!(done == 0 || done == 5, "a turn after {done} of 5");
            writing = next;
        }
    }

    #[tokio::test]
    async fn log_is_flushed_with_each_commit_and_views_are_not() {
        const SEEN: &str = "BEGIN IMMEDIATE; INSERT INTO t SELECT synchronous FROM pragma_synchronous; COMMIT";
        let folder = tempfile::tempdir().unwrap();
        let sqlite = with_table(&folder).await;
        // FULL is 2, NORMAL 1.
        for _ in 0..2 {
            sqlite.session().run_whole(SEEN.to_owned()).await.unwrap();
            assert_eq!(rows(&sqlite).await, [2]);
            sqlite.transaction().commit(SEEN.to_owned()).await.unwrap();
            assert_eq!(rows(&sqlite).await, [1, 2]);
            sqlite.execute("DELETE FROM t", vec![]).await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_scripts_delete_is_gone_from_the_file() {
        const SEEN: &str = "BEGIN IMMEDIATE; INSERT INTO t SELECT secure_delete FROM pragma_secure_delete; COMMIT";
        let folder = tempfile::tempdir().unwrap();
        let sqlite = with_table(&folder).await;
        sqlite.scripts.run(SEEN.to_owned(), Durability::Unflushed).await.unwrap();
        assert_eq!(rows(&sqlite).await, [1]);
    }

    #[tokio::test]
    async fn script_that_leaves_its_transaction_open_is_undone_and_refused() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = with_table(&folder).await;
        let open = "BEGIN IMMEDIATE; INSERT INTO t VALUES (1)".to_owned();
        assert!(sqlite.scripts.run(open, Durability::Flushed).await.is_err());
        sqlite.scripts.run(insert(2), Durability::Flushed).await.unwrap();
        assert_eq!(rows(&sqlite).await, [2]);
    }
}
