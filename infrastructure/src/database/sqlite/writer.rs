//! The thread that owns the only writing connection of this process.
//!
//! SQLite lets one connection write at a time. Callers queue here, in order, rather than inside SQLite, where waiting is
//! not fair. A transaction that is known in advance runs as one job, without a switch of threads between its statements.
//! Other callers take a turn: until they end it, the thread runs nothing else.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::address::Mode;
use super::connection::{self, Done, run, run_all, run_script};
use super::identity::OpenFile;
use super::profile::Profile;
use super::{BUSY_TIMEOUT, WAIT_FOR_READERS};
use crate::database::statements::Statement;
use crate::database::{DatabaseError, Dialect};

type Answer<T> = oneshot::Sender<Result<T, DatabaseError>>;

/// Passes orders to the thread. It ends after the last clone is dropped.
#[derive(Clone)]
pub(super) struct Writer {
    orders: Sender<Order>,
    acquire_timeout: Duration,
}

enum Order {
    /// Work that begins and ends outside of a transaction.
    Job { work: Work, profile: Profile, ticket: Ticket, answer: Answer<Done> },
    /// The right to run one thing after the other.
    Turn { profile: Profile, ticket: Ticket, granted: Answer<Sender<Step>> },
    /// Moves the write-ahead log into the file and empties it.
    Checkpoint { ticket: Ticket, answer: Answer<bool> },
}

enum Work {
    /// Statements that commit together.
    Transaction(Arc<Vec<Statement>>),
    /// A statement by itself.
    Single(Statement),
}

/// Something to do within a turn.
struct Step {
    task: Task,
    answer: Answer<Done>,
}

enum Task {
    Statements(Vec<Statement>),
    Shared(Arc<Vec<Statement>>),
    Script(String),
}

/// Whether an order has begun, or its caller has given up. Only one of them can come first.
#[derive(Clone, Default)]
struct Ticket(Arc<AtomicBool>);

impl Ticket {
    /// `false` when the other side was first.
    fn claim(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// The thread has ended by a panic: otherwise it lives as long as a caller may ask it.
const fn crashed() -> DatabaseError {
    DatabaseError::NoAnswer
}

impl Writer {
    /// Starts the thread, which opens the file.
    pub(super) async fn start(
        file: &Path,
        mode: Mode,
        acquire_timeout: Duration,
    ) -> Result<(Self, OpenFile), DatabaseError> {
        let (orders, incoming) = channel();
        let (opened, open) = oneshot::channel();
        let file = file.to_owned();
        let work = move || match open_writing(&file, mode) {
            Ok(thread) => {
                drop(opened.send(Ok(thread.file.clone())));
                thread.serve(&incoming);
            }
            Err(error) => drop(opened.send(Err(error))),
        };
        thread::Builder::new().name("sqlite-writer".to_owned()).spawn(work).map_err(sqlx::Error::Io)?;
        let file = open.await.map_err(|_| crashed())??;
        Ok((Self { orders, acquire_timeout }, file))
    }

    /// Runs a transaction. If the caller gives up before its turn comes, it is not run; after that it always runs to its
    /// end. A transaction that fails has changed nothing.
    pub(super) async fn transact(
        &self,
        statements: Arc<Vec<Statement>>,
        profile: Profile,
    ) -> Result<Done, DatabaseError> {
        self.job(Work::Transaction(statements), profile).await
    }

    /// Runs a statement outside of a transaction, under the same terms.
    pub(super) async fn execute(&self, statement: Statement, profile: Profile) -> Result<Done, DatabaseError> {
        self.job(Work::Single(statement), profile).await
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self, profile: Profile) -> Result<Turn, DatabaseError> {
        let steps = self.order(|ticket, granted| Order::Turn { profile, ticket, granted }).await?;
        Ok(Turn { steps })
    }

    /// Moves the write-ahead log into the file and empties it. Returns whether that was possible: it is not while a reader
    /// still reads older data.
    pub(super) async fn empty_wal(&self) -> Result<bool, DatabaseError> {
        self.order(|ticket, answer| Order::Checkpoint { ticket, answer }).await
    }

    async fn job(&self, work: Work, profile: Profile) -> Result<Done, DatabaseError> {
        self.order(|ticket, answer| Order::Job { work, profile, ticket, answer }).await
    }

    async fn order<T>(&self, order: impl FnOnce(Ticket, Answer<T>) -> Order) -> Result<T, DatabaseError> {
        let (answer, mut answered) = oneshot::channel();
        let ticket = Ticket::default();
        self.orders.send(order(ticket.clone(), answer)).map_err(|_| crashed())?;
        let answer = match timeout(self.acquire_timeout, &mut answered).await {
            Ok(answer) => answer,
            Err(_) if ticket.claim() => return Err(DatabaseError::Exhausted),
            Err(_) => answered.await,
        };
        answer.map_err(|_| crashed())?
    }
}

/// The right to write, until it is dropped. A transaction that is open then is rolled back.
pub(super) struct Turn {
    steps: Sender<Step>,
}

impl Turn {
    /// Begins a transaction that keeps other processes from writing, too.
    pub(super) async fn begin(&self) -> Result<(), DatabaseError> {
        self.script(Dialect::Sqlite.begin().to_owned()).await.map(drop)
    }

    /// Runs statements, and returns the result of the last one.
    pub(super) async fn statements(&self, statements: Vec<Statement>) -> Result<Done, DatabaseError> {
        self.step(Task::Statements(statements)).await
    }

    pub(super) async fn shared(&self, statements: Arc<Vec<Statement>>) -> Result<Done, DatabaseError> {
        self.step(Task::Shared(statements)).await
    }

    /// Runs statements that are separated by `;`.
    pub(super) async fn script(&self, script: String) -> Result<Done, DatabaseError> {
        self.step(Task::Script(script)).await
    }

    async fn step(&self, task: Task) -> Result<Done, DatabaseError> {
        let (answer, answered) = oneshot::channel();
        self.steps.send(Step { task, answer }).map_err(|_| crashed())?;
        answered.await.map_err(|_| crashed())?
    }
}

struct WriterThread {
    connection: Connection,
    file: OpenFile,
    profile: Profile,
}

fn open_writing(file: &Path, mode: Mode) -> Result<WriterThread, DatabaseError> {
    let connection = connection::open(file, mode)?;
    if mode != Mode::Immutable && !connection::is_wal(&connection)? {
        connection::ensure_not_foreign(&connection)?;
        connection::set(&connection, "journal_mode", "WAL")?;
    }
    let profile = Profile::Log;
    profile.set_up(&connection)?;
    Ok(WriterThread { connection, file: OpenFile::at(file)?, profile })
}

impl WriterThread {
    fn serve(mut self, incoming: &Receiver<Order>) {
        while let Ok(order) = incoming.recv() {
            // A caller that has gone away needs no answer.
            match order {
                Order::Job { work, profile, ticket, answer } => {
                    if !answer.is_closed() && ticket.claim() {
                        drop(answer.send(self.job(&work, profile)));
                    }
                }
                Order::Turn { profile, ticket, granted } => {
                    if !granted.is_closed() && ticket.claim() {
                        self.turn(profile, granted);
                    }
                }
                Order::Checkpoint { ticket, answer } => {
                    if !answer.is_closed() && ticket.claim() {
                        drop(answer.send(self.empty_wal()));
                    }
                }
            }
        }
    }

    fn job(&mut self, work: &Work, profile: Profile) -> Result<Done, DatabaseError> {
        self.change_to(profile)?;
        let outcome = match work {
            Work::Single(statement) => run(&self.connection, statement),
            Work::Transaction(statements) => {
                let outcome = self.transact(statements);
                self.roll_back();
                outcome
            }
        };
        // Nothing is acknowledged that was written to a file which was exchanged meanwhile.
        self.file.ensure_in_place()?;
        outcome
    }

    fn transact(&self, statements: &[Statement]) -> Result<Done, DatabaseError> {
        run(&self.connection, &Statement::plain(Dialect::Sqlite.begin()))?;
        let done = run_all(&self.connection, statements)?;
        run(&self.connection, &Statement::plain("COMMIT"))?;
        Ok(done)
    }

    fn turn(&mut self, profile: Profile, granted: Answer<Sender<Step>>) {
        if let Err(error) = self.change_to(profile) {
            return drop(granted.send(Err(error)));
        }
        let (sender, steps) = channel();
        drop(granted.send(Ok(sender)));
        while let Ok(Step { task, answer }) = steps.recv() {
            let outcome = match task {
                Task::Statements(statements) => run_all(&self.connection, &statements),
                Task::Shared(statements) => run_all(&self.connection, &statements),
                Task::Script(script) => run_script(&self.connection, &script),
            };
            let outcome = outcome.and_then(|done| self.file.ensure_in_place().map(|()| done));
            drop(answer.send(outcome));
        }
        self.roll_back();
    }

    /// Before everything that writes.
    fn change_to(&mut self, profile: Profile) -> Result<(), DatabaseError> {
        self.file.ensure_in_place()?;
        profile.change_from(self.profile, &self.connection)?;
        self.profile = profile;
        Ok(())
    }

    /// Ends a transaction that was left open.
    fn roll_back(&self) {
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.connection.execute_batch("ROLLBACK") {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot roll back a transaction of SQLite");
        }
    }

    fn empty_wal(&self) -> Result<bool, DatabaseError> {
        self.file.ensure_in_place()?;
        self.connection.busy_timeout(WAIT_FOR_READERS)?;
        let done = run_script(&self.connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        self.connection.busy_timeout(BUSY_TIMEOUT)?;
        let busy = done?.rows.first().map(|row| row.int("busy")).transpose()?;
        Ok(busy == Some(0))
    }
}
