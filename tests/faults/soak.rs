//! Writers in two processes and checkpoints all the time, on one SQLite file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use application::command_bus::CommandBus;
use application::ports::{Clock as _, EventLog, Ids as _, Principal};
use application::tags::CreateTag;
use domain::agent::Role;
use domain::ids::{AgentId, TagId};
use domain::text::Name;
use harness::{History, TestDatabase, left_out, run_on};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::event_log::{LogPorts, SqlEventLog};
use infrastructure::system::{RandomIds, SystemClock};

use crate::load::Load;
use crate::people::{admin, program_on};
use crate::recovery::{assert_clean, check};

/// How long it takes: an hour before a release.
const MINUTES: &str = "SOAK_MINUTES";

/// What comes of the connections of this process that write, while the program writes, too.
#[derive(Default)]
struct Tally {
    stop: AtomicBool,
    tags: AtomicUsize,
    refused: AtomicUsize,
    checkpoints: AtomicUsize,
}

/// The bug of SQLite before 3.51.3 that this would meet: with several connections that write and move the write-ahead log
/// into the file, a committed transaction is lost or the file is damaged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_and_checkpoints_of_two_processes_spoil_nothing() {
    const TEST: &str = "writers_and_checkpoints_of_two_processes_spoil_nothing";
    let Ok(minutes) = std::env::var(MINUTES) else { return left_out(TEST, MINUTES) };
    let minutes: f64 = minutes.parse().expect("SOAK_MINUTES is a number");
    let database = TestDatabase::sqlite();
    let mut process = program_on(&database).start().await;
    let client = process.client().clone();
    let mut load = Load::new(&client, &admin(&client).await).await;
    let tally = Arc::new(Tally::default());
    let writers = [write(&database, &tally).await, write(&database, &tally).await];
    let checkpointer = tokio::spawn(empty_wal(connect(&database).await, Arc::clone(&tally)));

    let lasting = SystemClock.sleep(Duration::from_secs_f64(minutes * 60.0));
    load.endure(std::slice::from_ref(&client), lasting).await;
    tally.stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.expect("a writer does not panic");
    }
    checkpointer.await.expect("checkpoints do not panic");

    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let (tags, refused, checkpoints) = (count(&tally.tags), count(&tally.refused), count(&tally.checkpoints));
    let history = History::open(&database).await;
    let position = check(&history, &load).await;
    let stored = history.events().await.iter().filter(|event| event.header.event_type == "TagCreated").count();
    assert!(stored >= tags && tags > 0 && checkpoints > 0, "{stored} of {tags} tags, {checkpoints} checkpoints");
    println!("{minutes} minutes: {position} events, {tags} tags and {refused} not, {checkpoints} checkpoints");
    drop(history);
    assert!(process.terminate().await.success());
    assert_clean(&process);
    let checked = run_on(&database, &["check", "--integrity"], &[]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

async fn connect(database: &TestDatabase) -> Database {
    Database::connect(database.url(), DatabaseOptions::default()).await.expect("the file can be opened")
}

/// Appends on a connection of its own until it is to stop.
async fn write(database: &TestDatabase, tally: &Arc<Tally>) -> tokio::task::JoinHandle<()> {
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    let ports = LogPorts::alone(clock.clone(), ids.clone());
    let log = SqlEventLog::start(connect(database).await, ports).await.expect("the log can be read");
    let log: Arc<dyn EventLog> = Arc::new(log);
    let bus = CommandBus::new(log, clock, ids);
    let tally = Arc::clone(tally);
    tokio::spawn(async move {
        let principal = Principal::Agent { id: AgentId::new(RandomIds.new_uuid()), role: Role::Admin };
        while !tally.stop.load(Ordering::Relaxed) {
            let name = Name::parse(&RandomIds.new_uuid().to_string()).expect("a name");
            let create = CreateTag { principal, tag_id: TagId::new(RandomIds.new_uuid()), name, color: None };
            let created = bus.execute(bus.context(principal.actor(), bus.new_uuid()), create).await;
            // The writers are in each other's way: an append that finds the file locked for too long is refused.
            let counter = if created.is_ok() { &tally.tags } else { &tally.refused };
            counter.fetch_add(1, Ordering::Relaxed);
            SystemClock.sleep(Duration::from_millis(5)).await;
        }
    })
}

async fn empty_wal(database: Database, tally: Arc<Tally>) {
    while !tally.stop.load(Ordering::Relaxed) {
        if database.wipe().await.is_ok_and(|emptied| emptied) {
            tally.checkpoints.fetch_add(1, Ordering::Relaxed);
        }
        SystemClock.sleep(Duration::from_millis(10)).await;
    }
}
