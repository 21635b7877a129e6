//! Measures the release binary over HTTP and prints a table: `cargo bench -p tests [-- --seconds N --only OPERATION]`;
//! `--built` takes the program as it was built last.
//!
//! `--only lists` measures lists and searches in stores full of conversations instead, see `lists`.
//!
//! On SQLite, and on the server that `TEST_MYSQL_URL` names. Everything runs on one machine, load and program alike.

mod closed_loop;
mod connection;
mod desk;
mod lists;
mod machine;
mod operations;
mod report;
mod routing;

use std::process::Command;
use std::time::Duration;

use harness::TestDatabase;

use desk::{Desk, program};
use report::Report;

/// How long each rate is measured, unless `--seconds` says otherwise.
const SECONDS: u32 = 3;

fn main() {
    if !std::env::args().any(|argument| argument == "--built") {
        build_program();
    }
    if argument("--only").as_deref() == Some("lists") {
        return lists::run();
    }
    let seconds = seconds();
    // One thread for the load leaves the rest of the machine to the program.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        measure("SQLite", async || Some(TestDatabase::sqlite()), seconds).await;
        measure("MySQL", async || TestDatabase::mysql("the measurements on MySQL").await, seconds).await;
    });
}

async fn measure(name: &str, fresh: impl AsyncFn() -> Option<TestDatabase>, seconds: u32) {
    let Some(database) = fresh().await else { return };
    eprintln!("{name}: {}", machine::busyness());
    let busy_before = machine::busyness();
    program(&database).start().await.terminate().await;
    let empty = machine::footprint(&program(&database)).await;
    let mut process = program(&database).start().await;
    let desk = Desk::open(process.client()).await;
    let only = argument("--only").unwrap_or_default();
    let operations = operations::run(&process, &desk, Duration::from_secs(seconds.into()), &only).await;
    let peak_mib = machine::memory_mib(&process, "VmHWM:");
    process.terminate().await;
    let used = machine::footprint(&program(&database)).await;
    let durability = machine::durability(&database).await;
    drop(database);
    let Some(database) = fresh().await else { return };
    let routing = routing::run(&database, 10).await;
    let busy = [busy_before, machine::busyness()];
    Report { name: name.to_owned(), durability, busy, operations, routing, empty, used, peak_mib }.publish();
}

/// The measured program is the release binary of this tree.
fn build_program() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let arguments = ["build", "--release", "--bin", "livechatlog", "--manifest-path", manifest];
    let status = Command::new(env!("CARGO")).args(arguments).status();
    assert!(status.is_ok_and(|status| status.success()), "the program cannot be built");
}

fn seconds() -> u32 {
    argument("--seconds").map_or(SECONDS, |text| text.parse().expect("--seconds takes a number"))
}

/// What follows this word on the command line.
fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}
