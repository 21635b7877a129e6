//! The program is killed in the middle of its work, again and again, and loses nothing that it has acknowledged.

use harness::{DatabaseKind, History, Process, Standing, TestDatabase, each_database, eventually};

use crate::load::Load;
use crate::people::{admin, hire, program_on};
use crate::recovery::{RECOVERY, assert_clean, check, pause, rounds};

/// How often the program is killed; `FAULT_ROUNDS` says otherwise.
const ROUNDS: usize = 20;

each_database!(acknowledged_writes_survive_kill9);
async fn acknowledged_writes_survive_kill9(database: TestDatabase) {
    let mut process = program_on(&database).start().await;
    let boss = admin(process.client()).await;
    let mut load = Load::new(process.client(), &boss).await;
    let history = History::open(&database).await;
    for round in 1..=rounds(ROUNDS) {
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
    // With room for every chat none is left behind.
    let waiting = Standing::of(&history.events().await).waiting().count();
    for _ in 0..waiting.div_ceil(20) {
        hire(process.client(), &boss, ("agent", "online", 20)).await;
    }
    eventually(RECOVERY, "every chat is served", async || {
        let waiting = Standing::of(&history.events().await).waiting().count();
        if waiting == 0 { Ok(()) } else { Err(format!("{waiting} chats wait")) }
    })
    .await;
    for write in load.journal.repeatable().iter().rev().take(100) {
        load.journal.send(process.client(), write).await.expect("the program runs");
    }
    check(&history, &load).await;
    assert!(process.terminate().await.success());
    assert_clean(&process);
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
