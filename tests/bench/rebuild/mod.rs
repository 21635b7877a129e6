//! Measures the rebuild of the read models: `cargo bench --workspace --bench livechatlog -- --only rebuild [--events N] [--writes N]`.
//!
//! On a log of days of chats that is written for it: next to an idle program, and next to one that is written to.

mod history;
mod load;
mod steps;

use std::time::{Duration, Instant};

use application::ports::Clock as _;
use harness::{History, Process, ProcessBuilder, TestDatabase, eventually};
use infrastructure::system::SystemClock;

use crate::arguments::{arguments, databases};
use crate::machine::memory_mb;
use crate::report::{Part, publish};
use steps::{Rebuild, Step};

/// The events of the log, unless `--events` says otherwise.
const EVENTS: i64 = 200_000;

/// How long a part may take.
const PATIENCE: Duration = Duration::from_secs(3_600);

const PAGE: usize = 4_096;

pub fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut parts = vec![];
        for database in databases().await {
            parts.push(Part::measure(&database, measure(&database)).await);
        }
        publish("rebuild", &parts);
    });
}

async fn measure(database: &TestDatabase) -> Rebuild {
    let begun = Instant::now();
    history::write(database, arguments().events.map_or(EVENTS, i64::from)).await;
    let history = History::open(database).await;
    let events = history.log.head().await.expect("a log").position;
    let of = |what, took: Duration| Step::new(what, events, took);
    let written = of("events written", begun.elapsed());
    let begun = Instant::now();
    // It is ready only when they have.
    let mut process = program(database).spawn();
    eventually(PATIENCE, "the live projectors have everything", async || caught_up(&history, events).await).await;
    let live = of("live projectors, from nothing", begun.elapsed());
    let read = of("log read alone", read_all(&history).await);
    let (alone, outcome) = replay(database, &[]).await;
    let alone = of("replay alongside an idle service", alone).with(outcome);
    let writes = arguments().writes;
    let mut busy = (Duration::ZERO, String::new());
    let seen = load::during(process.client(), writes, async { busy = replay(database, &[]).await }).await;
    let busy = of("replay under load", busy.0).with(busy.1);
    let quiet = load::during(process.client(), writes, SystemClock.sleep(Duration::from_secs(10))).await;
    let (verified, outcome) = replay(database, &["--verify"]).await;
    let verified = of("verification", verified).with(outcome);
    process.terminate().await;
    Rebuild { steps: vec![written, live, read, alone, busy, verified], load_meanwhile: seen, load_without: quiet }
}

fn program(database: &TestDatabase) -> ProcessBuilder {
    Process::on(database).setting("RUST_LOG", "warn")
}

/// Runs the command to its end.
async fn replay(database: &TestDatabase, arguments: &[&str]) -> (Duration, String) {
    let begun = Instant::now();
    let command = program(database).argument("replay");
    let mut command = arguments.iter().fold(command, |command, argument| command.argument(*argument)).spawn();
    let mut peak_mb = 0.0_f64;
    let ended = eventually(PATIENCE, "the rebuild ends", async || {
        let mb = memory_mb(&command, "VmHWM:");
        if mb.is_finite() {
            peak_mb = peak_mb.max(mb);
        }
        command.ended().ok_or("it still runs")
    });
    let status = ended.await;
    let took = begun.elapsed();
    let log = command.log();
    let last = log.lines().last().unwrap_or_default().trim().to_owned();
    assert!(status.success(), "{log}");
    (took, format!("{last}; at most {peak_mb:.0} MB"))
}

async fn caught_up(history: &History, position: i64) -> Result<(), String> {
    let sql = "SELECT COUNT(*) AS projectors, COALESCE(MIN(position), 0) AS position FROM checkpoints";
    let row = history.database.fetch_optional(sql, vec![]).await.map_err(|error| error.to_string())?;
    let row = row.ok_or("no answer")?;
    let (projectors, reached) = (row.int("projectors"), row.int("position"));
    let is_there = projectors.is_ok_and(|count| count >= 7) && reached.as_ref().is_ok_and(|at| *at >= position);
    if is_there { Ok(()) } else { Err(format!("at {reached:?} of {position}")) }
}

async fn read_all(history: &History) -> Duration {
    let begun = Instant::now();
    let mut after = 0;
    while let Some(last) = history.log.read_after(after, PAGE).await.expect("the log can be read").last() {
        after = last.header.position;
    }
    begun.elapsed()
}
