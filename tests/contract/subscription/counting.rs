//! A projector that counts: what it does twice, or not at all, cannot be overlooked.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use application::ports::{LogEvent, Position};
use async_trait::async_trait;
use domain::event::AnyEvent;
use infrastructure::database::{Database, DatabaseError, Transaction};
use infrastructure::sql_args;
use infrastructure::subscription::{HandleError, RunnerHandle, RunnerStatus, StopReason, Subscriber, Subscriptions};
use infrastructure::system::RandomIds;
use tokio::time::timeout;

use crate::support::{Node, SOON};

/// What goes wrong with a projector.
pub enum Fault {
    None,
    /// After the rows were written, the transaction is dropped.
    LosesEachThirdTransaction,
    /// It does not understand the event there, and finds out after it has written.
    PoisonAt(Position),
    /// After the rows were written, it stays in the transaction.
    HangsInTransactions,
    /// After the rows were written, its thread stands still until this is true.
    FreezesUntil(Arc<AtomicBool>),
    /// The same before anything was sent to the database.
    FreezesBeforeUntil(Arc<AtomicBool>),
}

pub struct Counting {
    name: &'static str,
    node: &'static str,
    fault: Fault,
    transactions: AtomicUsize,
    /// The positions of the pages that it began with.
    begun: Mutex<Vec<Position>>,
}

impl Counting {
    pub fn new(name: &'static str, node: &'static str, fault: Fault) -> Self {
        Self { name, node, fault, transactions: AtomicUsize::new(0), begun: Mutex::default() }
    }

    pub fn lost(&self) -> usize {
        self.transactions.load(Ordering::SeqCst) / 3
    }

    pub fn begun(&self) -> Vec<Position> {
        self.begun.lock().unwrap().clone()
    }
}

#[async_trait]
impl Subscriber for Counting {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> i64 {
        1
    }

    fn handles(&self, _event: &AnyEvent) -> bool {
        true
    }

    async fn handle(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
        self.begun.lock().unwrap().push(events[0].header.position);
        if let Fault::FreezesBeforeUntil(awake) = &self.fault {
            freeze_until(awake);
        }
        Counts::add(tx, self.name, self.node, events.len()).await?;
        let number = self.transactions.fetch_add(1, Ordering::SeqCst) + 1;
        match &self.fault {
            Fault::LosesEachThirdTransaction if number.is_multiple_of(3) => Err(DatabaseError::NoAnswer.into()),
            Fault::PoisonAt(position) if events.iter().any(|event| event.header.position == *position) => {
                Err(HandleError::Poison { position: *position, source: "bad".into() })
            }
            Fault::HangsInTransactions => std::future::pending().await,
            Fault::FreezesUntil(awake) => {
                freeze_until(awake);
                Ok(())
            }
            Fault::None | Fault::LosesEachThirdTransaction | Fault::PoisonAt(_) | Fault::FreezesBeforeUntil(_) => {
                Ok(())
            }
        }
    }
}

fn freeze_until(awake: &AtomicBool) {
    while !awake.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The table of the projector: one row a projector and node.
pub struct Counts;

impl Counts {
    pub async fn create(database: &Database) {
        let sql = "CREATE TABLE counts (name VARCHAR(20) NOT NULL, node VARCHAR(20) NOT NULL, count BIGINT NOT NULL)";
        database.execute(sql, sql_args![]).await.unwrap();
    }

    async fn add(tx: &mut Transaction, name: &str, node: &str, count: usize) -> Result<(), DatabaseError> {
        let count = i64::try_from(count).unwrap();
        let update = "UPDATE counts SET count = count + ? WHERE name = ? AND node = ?";
        if tx.execute(update, sql_args![count, name, node]).await? == 0 {
            let insert = "INSERT INTO counts (count, name, node) VALUES (?, ?, ?)";
            tx.execute(insert, sql_args![count, name, node]).await?;
        }
        Ok(())
    }

    /// How many events a projector has counted, on all nodes together.
    pub async fn of(database: &Database, name: &str) -> i64 {
        let sql = "SELECT SUM(count) AS total FROM counts WHERE name = ?";
        let row = database.fetch_optional(sql, sql_args![name]).await.unwrap().unwrap();
        row.opt_int("total").unwrap().unwrap_or(0)
    }

    /// How many of them on this node.
    pub async fn on(database: &Database, node: &str) -> i64 {
        let row = database.fetch_optional("SELECT count FROM counts WHERE node = ?", sql_args![node]).await.unwrap();
        row.map_or(0, |row| row.int("count").unwrap())
    }
}

pub fn subscriptions(node: &Node) -> Subscriptions {
    let clock = Arc::new(node.clock.clone());
    Subscriptions::new(node.database.clone(), Arc::clone(&node.log) as _, clock, Arc::new(RandomIds))
}

pub async fn stopped(handle: &RunnerHandle) -> StopReason {
    let mut statuses = handle.statuses();
    match timeout(SOON, statuses.wait_for(RunnerStatus::has_ended)).await.expect("it stops").unwrap().clone() {
        RunnerStatus::Stopped(reason) => reason,
        other => panic!("{other:?}"),
    }
}

pub async fn statuses_until(handle: &RunnerHandle, status: RunnerStatus) {
    let mut statuses = handle.statuses();
    timeout(SOON, statuses.wait_for(|now| *now == status)).await.expect("the status changes").unwrap();
}
