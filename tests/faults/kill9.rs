//! The program is killed in the middle of its work, again and again, and loses nothing that it has acknowledged.

use std::time::Duration;

use application::ports::{Clock as _, Ids as _};
use harness::{DatabaseKind, History, Process, Standing, TestDatabase, eventually, on_each_database};
use infrastructure::event_log::verify_chain;
use infrastructure::system::{RandomIds, SystemClock};

use crate::load::Load;
use crate::people::{admin, hire, program_on};
use crate::recovery::{RECOVERY, settled};

/// How often the program is killed; `FAULT_ROUNDS` says otherwise.
const ROUNDS: usize = 20;

on_each_database! {
    async fn acknowledged_writes_survive_kill9(database: TestDatabase) {
        let mut process = program_on(&database).start().await;
        let boss = admin(process.client()).await;
        let mut load = Load::new(process.client(), &boss).await;
        let history = History::open(&database).await;
        for round in 1..=rounds() {
            let client = process.client().clone();
            let dying = async {
                pause(200..900).await;
                process.kill9();
            };
            load.run(&client, dying).await;
            assert_clean(&process);
            process = restart(&database, &history, round).await;
            let position = check(&history, &load).await;
            let (acknowledged, unknown) = load.journal.counts();
            println!("round {round}: {acknowledged} writes acknowledged, {unknown} not; {position} events");
        }
        // With room for everybody nobody is left behind.
        let waiting = Standing::of(&history.events().await).waiting().count();
        for _ in 0..waiting.div_ceil(20) {
            hire(process.client(), &boss, ("agent", "online", 20)).await;
        }
        eventually(RECOVERY, "every chat is served", async || {
            let waiting = Standing::of(&history.events().await).waiting().count();
            if waiting == 0 { Ok(()) } else { Err(format!("{waiting} chats wait")) }
        }).await;
        for write in load.journal.repeatable().iter().rev().take(100) {
            load.journal.send(process.client(), write).await.expect("the program runs");
        }
        check(&history, &load).await;
        assert!(process.terminate().await.success());
        assert_clean(&process);
    }
}

fn rounds() -> usize {
    std::env::var("FAULT_ROUNDS").map_or(ROUNDS, |text| text.parse().expect("FAULT_ROUNDS is a number"))
}

async fn pause(millis: std::ops::Range<u64>) {
    let span = (millis.end - millis.start) as f64 * RandomIds.fraction();
    SystemClock.sleep(Duration::from_millis(millis.start + span as u64)).await;
}

/// Starts the program again; in some rounds it is killed in the middle of that, too.
async fn restart(database: &TestDatabase, history: &History, round: usize) -> Process {
    if round.is_multiple_of(5) {
        let mut short = program_on(database).spawn();
        pause(0..400).await;
        short.kill9();
        assert_clean(&short);
    }
    if database.kind() == DatabaseKind::MySql && !round.is_multiple_of(4) {
        // The leases of the dead run out by themselves after three seconds, which most rounds do not wait for.
        history.database.execute("UPDATE leases SET expires_us = 0", vec![]).await.expect("leases can be ended");
    }
    program_on(database).start().await
}

/// Nothing that went wrong inside was kept quiet.
fn assert_clean(process: &Process) {
    let log = process.log();
    assert!(!log.contains("panicked") && !log.contains(" ERROR "), "{log}");
}

/// Checks all that must be true after a restart, and tells how long the log is.
async fn check(history: &History, load: &Load) -> i64 {
    let events = history.events().await;
    load.journal.check(&events);
    drop(Standing::of(&events));
    let verified = verify_chain(&history.database, |_| {}).await.expect("the chain verifies");
    assert!(verified.position >= events.len() as i64);
    eventually(RECOVERY, "the read models are what the log says", async || settled(history).await).await
}
