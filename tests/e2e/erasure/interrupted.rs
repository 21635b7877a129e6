//! An operator who changes their mind, or whose terminal goes away.

use std::fs;
use std::time::Duration;

use application::ports::Clock as _;
use harness::{DEADLINE, Process, Server, TestDatabase, eventually, on_each_database};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::system::SystemClock;

use super::{assert_forgotten, ok, run, traces};

/// SIGINT among the signals of `/proc/PID/status`.
const INTERRUPT: u64 = 1 << 1;

/// Whether the process handles an interrupt itself.
fn is_listening(process: &Process) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).map(str::trim);
    caught.and_then(|mask| u64::from_str_radix(mask, 16).ok()).is_some_and(|mask| mask & INTERRUPT != 0)
}

/// What the command says; it has to look for the visitor before it erases.
async fn interrupted_while_it_erases(database: &TestDatabase, words: &[&str]) -> String {
    let mut delay = Duration::ZERO;
    loop {
        let program = words.iter().fold(Process::on(database), |program, word| program.argument(*word));
        let mut process = program.spawn();
        let listens = async || if is_listening(&process) { Ok(()) } else { Err(process.log()) };
        eventually(DEADLINE, "the command listens", listens).await;
        SystemClock.sleep(delay).await;
        process.signal("INT");
        let status = process.wait_for_end(DEADLINE).await;
        let told = process.log();
        assert_eq!(status.code(), Some(130), "{told}");
        if told.contains("interrupted: the data erased so far stays erased") {
            return told;
        }
        assert!(told.contains("interrupted: nothing was changed"), "{told}");
        assert!(delay < DEADLINE, "{told}");
        delay = delay * 2 + Duration::from_millis(50);
    }
}

on_each_database! {
    async fn interrupted_erasure_says_what_is_done_and_is_done_again(database: TestDatabase) {
        let server = Server::start(&database).await;
        let id = server.visitor("a xylophagous beetle").await.id;
        server.stop().await;
        let store = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
        // Nobody appends while this lasts.
        let mut lock = store.begin_view().await.unwrap();
        lock.execute("UPDATE log_head SET position = position", vec![]).await.unwrap();
        let words = ["erase-visitor", "--yes", &id];
        let told = interrupted_while_it_erases(&database, &words).await;
        assert!(told.contains("run this command again to erase the rest"), "{told}");
        drop(lock);
        store.close().await;
        assert!(!traces(&database).await.is_empty());
        ok(run(&database, &["audit", "verify"]));
        ok(run(&database, &words));
        assert_forgotten(&database).await;
    }
}
