//! Measures the rebuild of the read models: `cargo bench -p tests --bench replay [-- --events N --writes N]`.
//!
//! On SQLite, and on the server that `TEST_MYSQL_URL` names. Everything runs on one machine: the program, the rebuild, the
//! load and the database.

#[path = "../connection.rs"]
#[expect(dead_code, reason = "the other measurements use the rest")]
mod connection;
mod history;
mod load;
#[path = "../machine.rs"]
#[expect(dead_code, reason = "the other measurements use the rest")]
mod machine;

use std::process::Command;
use std::time::{Duration, Instant};

use application::ports::Clock as _;
use harness::{History, Process, ProcessBuilder, TestDatabase, eventually};
use infrastructure::system::SystemClock;

/// The events of the log, unless `--events` says otherwise.
const EVENTS: i64 = 200_000;

/// The writes a second while a rebuild runs, unless `--writes` says otherwise.
const WRITES: i64 = 200;

/// How long a part may take.
const PATIENCE: Duration = Duration::from_secs(3_600);

const PAGE: usize = 4_096;

fn main() {
    if std::env::args().any(|argument| argument == "--only") {
        // A part of the other measurements is asked for.
        return;
    }
    build_program();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        measure("SQLite", Some(TestDatabase::sqlite())).await;
        measure("MySQL", TestDatabase::mysql("the measurements on MySQL").await).await;
    });
}

async fn measure(name: &str, database: Option<TestDatabase>) {
    let Some(database) = database else { return };
    println!("\n{name}: {}", machine::durability(&database).await);
    println!("{} before", machine::busyness());
    let begun = Instant::now();
    history::write(&database, number("--events", EVENTS)).await;
    let history = History::open(&database).await;
    let events = history.log.head().await.expect("a log").position;
    println!("{:<34} {events} in {:.1} s", "events written", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    // It is ready only when they have.
    let mut process = program(&database).spawn();
    eventually(PATIENCE, "the live projectors have everything", async || caught_up(&history, events).await).await;
    row("live projectors, from nothing", events, begun.elapsed());
    let read = read_all(&history).await;
    row("log read alone", events, read);
    let (alone, outcome) = replay(&database, &[]).await;
    row("replay beside an idle service", events, alone);
    println!("{:<34} {}", "  its outcome", outcome.trim());
    println!("{:<34} {:.2}", "  times the reading", alone.as_secs_f64() / read.as_secs_f64());
    let writes = u32::try_from(number("--writes", WRITES)).expect("some writes");
    let mut busy = (Duration::ZERO, String::new());
    let seen = load::during(process.client(), writes, async { busy = replay(&database, &[]).await }).await;
    row("replay under load", events, busy.0);
    println!("{:<34} {}", "  its outcome", busy.1.trim());
    println!(
        "{:<34} {} requests ({:.0}/s), {} failed, p50 {:.1} / p99 {:.1} / max {:.1} ms",
        "  the load meanwhile", seen.requests, seen.per_second, seen.failed, seen.p50_ms, seen.p99_ms, seen.longest_ms
    );
    let quiet = load::during(process.client(), writes, SystemClock.sleep(Duration::from_secs(10))).await;
    println!(
        "{:<34} p50 {:.1} / p99 {:.1} / max {:.1} ms",
        "  the same without a replay", quiet.p50_ms, quiet.p99_ms, quiet.longest_ms
    );
    let (verified, outcome) = replay(&database, &["--verify"]).await;
    row("verification", events, verified);
    println!("{:<34} {}", "  its outcome", outcome.trim());
    println!("{} after", machine::busyness());
    process.terminate().await;
}

fn program(database: &TestDatabase) -> ProcessBuilder {
    Process::on(database).setting("RUST_LOG", "warn")
}

/// Runs the command to its end.
async fn replay(database: &TestDatabase, arguments: &[&str]) -> (Duration, String) {
    let begun = Instant::now();
    let command = program(database).argument("replay");
    let mut command = arguments.iter().fold(command, |command, argument| command.argument(*argument)).spawn();
    let mut peak_mib = 0.0_f64;
    let ended = eventually(PATIENCE, "the rebuild ends", async || {
        let mib = machine::memory_mib(&command, "VmHWM:");
        if mib.is_finite() {
            peak_mib = peak_mib.max(mib);
        }
        command.ended().ok_or("it still runs")
    });
    let status = ended.await;
    let took = begun.elapsed();
    let log = command.log();
    let last = log.lines().last().unwrap_or_default().to_owned();
    assert!(status.success(), "{log}");
    (took, format!("{last}; at most {peak_mib:.0} MiB"))
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

fn row(what: &str, events: i64, took: Duration) {
    let seconds = took.as_secs_f64();
    println!("{what:<34} {seconds:>8.1} s {:>10.0} events/s", events as f64 / seconds);
}

/// The measured program is the release binary of this tree.
fn build_program() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let arguments = ["build", "--release", "--bin", "livechatlog", "--manifest-path", manifest];
    let status = Command::new(env!("CARGO")).args(arguments).status();
    assert!(status.is_ok_and(|status| status.success()), "the program cannot be built");
}

/// The number that follows this word on the command line.
fn number(name: &str, otherwise: i64) -> i64 {
    let given = std::env::args().skip_while(|argument| argument != name).nth(1);
    given.map_or(otherwise, |text| text.parse().expect("a number follows"))
}
