//! Views are rebuilt by a second process while the program serves, and the rebuild is killed wherever it is.

use std::time::Duration;

use application::ports::{Clock as _, Ids as _};
use harness::{History, Process, ProcessBuilder, TestDatabase, each_database, eventually};
use infrastructure::system::{RandomIds, SystemClock};

use crate::load::Load;
use crate::people::{admin, program_on};
use crate::recovery::{RECOVERY, settled};

/// How often the rebuild is killed.
const ROUNDS: u32 = 20;

fn replay(database: &TestDatabase) -> ProcessBuilder {
    program_on(database).argument("replay")
}

/// Starts a command and waits for its end.
async fn finished(command: ProcessBuilder) -> (Option<i32>, String) {
    let mut process = command.spawn();
    let status = process.wait_for_end(Duration::from_secs(60)).await;
    (status.code(), process.log())
}

async fn work_for(load: &mut Load, process: &Process, millis: u64) {
    load.run(process.client(), SystemClock.sleep(Duration::from_millis(millis))).await;
}

each_database!(killed_rebuilds_leave_the_views_alone);
async fn killed_rebuilds_leave_the_views_alone(database: TestDatabase) {
    let mut process = program_on(&database).start().await;
    let boss = admin(process.client()).await;
    let mut load = Load::new(process.client(), &boss).await;
    let history = History::open(&database).await;
    work_for(&mut load, &process, 1_000).await;
    for round in 0..ROUNDS {
        let client = process.client().clone();
        let killing = async {
            let mut rebuild = replay(&database).spawn();
            let millis = f64::from(50 + round * 40) * RandomIds.fraction();
            SystemClock.sleep(Duration::from_millis(millis as u64)).await;
            rebuild.kill9();
            // The lease of the dead runs out by itself after three seconds, which most rounds do not wait for.
            if round % 7 != 0 {
                let free = "UPDATE leases SET expires_us = 0 WHERE name = 'rebuild'";
                eventually(RECOVERY, "the lease is ended", async || history.database.execute(free, vec![]).await).await;
            }
        };
        load.run(&client, killing).await;
    }
    let (code, log) = finished(replay(&database)).await;
    assert_eq!(code, Some(0), "{log}");
    eventually(RECOVERY, "the read models are what the log says", async || settled(&history).await).await;
    load.journal.check(&history.events().await);
    let log = process.log();
    assert!(!log.contains("panicked") && !log.contains(" ERROR "), "{log}");
    assert!(process.terminate().await.success());
}

each_database!(views_are_rebuilt_under_load_and_equal_the_log);
async fn views_are_rebuilt_under_load_and_equal_the_log(database: TestDatabase) {
    let mut process = program_on(&database).start().await;
    let boss = admin(process.client()).await;
    let mut load = Load::new(process.client(), &boss).await;
    let history = History::open(&database).await;
    work_for(&mut load, &process, 500).await;
    let client = process.client().clone();
    let rebuilding = async {
        for _ in 0..3 {
            let (code, log) = finished(replay(&database)).await;
            assert_eq!(code, Some(0), "{log}");
            let (code, log) = finished(replay(&database).argument("--verify")).await;
            assert_eq!(code, Some(0), "{log}");
            assert!(log.contains(": 0 differ"), "{log}");
        }
    };
    load.run(&client, rebuilding).await;
    let (acknowledged, _) = load.journal.counts();
    assert!(acknowledged > 50, "{acknowledged} writes acknowledged");
    assert_eq!(load.journal.failed(), Vec::<String>::new(), "requests fail while views are rebuilt");
    eventually(RECOVERY, "the read models are what the log says", async || settled(&history).await).await;
    let log = process.log();
    assert!(!log.contains("panicked") && !log.contains(" ERROR "), "{log}");
    assert!(process.terminate().await.success());
}

each_database!(differences_are_told_and_fail_the_verification);
async fn differences_are_told_and_fail_the_verification(database: TestDatabase) {
    let process = program_on(&database).start().await;
    let history = History::open(&database).await;
    eventually(RECOVERY, "the read models are what the log says", async || settled(&history).await).await;
    let lie = "UPDATE agents SET name = 'Mallory'";
    history.database.execute(lie, vec![]).await.expect("the view can be changed");
    let (code, log) = finished(replay(&database).argument("--verify")).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains(r#"{"name":"Mallory"}; rebuilt from the log: {"name":"Admin"}"#), "{log}");
    let (code, log) = finished(replay(&database).argument("--verify").argument("--json")).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains(r#""differences":1"#), "{log}");
    let (code, log) = finished(replay(&database).argument("--projection").argument("agents")).await;
    assert_eq!(code, Some(0), "{log}");
    let (code, log) = finished(replay(&database).argument("--verify")).await;
    assert_eq!(code, Some(0), "{log}");
    let (code, log) = finished(replay(&database).argument("--projection").argument("nothing")).await;
    assert_eq!(code, Some(2), "{log}");
    drop(process);
}

each_database!(router_is_folded_again_under_load);
async fn router_is_folded_again_under_load(database: TestDatabase) {
    let mut process = program_on(&database).start().await;
    let boss = admin(process.client()).await;
    let mut load = Load::new(process.client(), &boss).await;
    let history = History::open(&database).await;
    work_for(&mut load, &process, 500).await;
    let client = process.client().clone();
    let folding = async {
        for _ in 0..2 {
            let (code, log) = finished(replay(&database).argument("--subscriber").argument("router")).await;
            assert_eq!(code, Some(0), "{log}");
            assert!(log.contains("rebuilt 2 tables"), "{log}");
        }
    };
    load.run(&client, folding).await;
    assert_eq!(load.journal.failed(), Vec::<String>::new(), "requests fail while the router pauses");
    eventually(RECOVERY, "the router goes on from what the log says", async || settled(&history).await).await;
    let (code, log) = finished(replay(&database).argument("--verify")).await;
    assert_eq!(code, Some(0), "{log}");
    let (code, log) = finished(replay(&database).argument("--projection").argument("routing")).await;
    assert_eq!(code, Some(2), "{log}");
    assert!(log.contains("livechatlog replay --subscriber router"), "{log}");
    let log = process.log();
    assert!(!log.contains("panicked") && !log.contains(" ERROR "), "{log}");
    assert!(process.terminate().await.success());
}

each_database!(checkpoint_that_is_not_in_the_log_is_named_and_mended);
async fn checkpoint_that_is_not_in_the_log_is_named_and_mended(database: TestDatabase) {
    let process = program_on(&database).start().await;
    let history = History::open(&database).await;
    eventually(RECOVERY, "the read models are what the log says", async || settled(&history).await).await;
    // With the generation it is read at once; otherwise with the next event.
    let spoil = "UPDATE checkpoints SET position = position + 7, generation = generation + 1 \
                 WHERE name IN ('tags', 'routing')";
    history.database.execute(spoil, vec![]).await.expect("a checkpoint can be changed");
    eventually(RECOVERY, "the probe says what mends it", async || {
        let reply = process.client().get("/readyz").await;
        let said = reply.body.to_string();
        let both = ["`livechatlog replay` mends it", "`livechatlog replay --subscriber router` mends it"];
        if reply.status == 503 && both.iter().all(|words| said.contains(words)) { Ok(()) } else { Err(said) }
    })
    .await;
    let (code, log) = finished(program_on(&database).argument("check")).await;
    assert_eq!(code, Some(1), "{log}");
    for name in ["tags", "routing"] {
        assert!(log.contains(&format!("{name} belongs to another history")), "{log}");
    }
    assert!(!log.contains("agents belongs"), "{log}");
    let (code, log) = finished(replay(&database).argument("--verify")).await;
    assert_eq!(code, Some(1), "{log}");
    let (code, log) = finished(replay(&database)).await;
    assert_eq!(code, Some(0), "{log}");
    let (code, log) = finished(replay(&database).argument("--subscriber").argument("router")).await;
    assert_eq!(code, Some(0), "{log}");
    eventually(RECOVERY, "the service is ready again", async || {
        let reply = process.client().get("/readyz").await;
        if reply.status == 200 { Ok(()) } else { Err(reply.body) }
    })
    .await;
    let (code, log) = finished(replay(&database).argument("--verify")).await;
    assert_eq!(code, Some(0), "{log}");
    drop(process);
}
