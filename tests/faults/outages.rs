//! The database goes away under the program, or what lies between them does, and comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use application::ports::{Clock as _, EventLog as _, Ids as _};
use harness::{Client, DEADLINE, Fault, FaultyProxy, History, Person, Process, TestDatabase, eventually};
use infrastructure::event_log::{LogPorts, SqlEventLog};
use infrastructure::system::{RandomIds, SystemClock};
use serde_json::{Value, json};

use crate::journal::assert_is_clear;
use crate::load::Load;
use crate::people::{admin, program_on};
use crate::recovery::{assert_clean, check, pause, rounds};
use crate::servers::Mariadb;

/// How often something is done in the suite; `FAULT_ROUNDS` says otherwise.
const ROUNDS: usize = 3;

/// While a database is away, a request fails within this time: two waits of five seconds, on a busy machine.
const TOLD: Duration = Duration::from_secs(15);

/// A monitor of many nodes does not wait long for a probe: two seconds, on a busy machine.
const PROBED: Duration = Duration::from_secs(5);

/// Requests are cut off after 30 seconds, whatever they wait for.
const CUT_OFF: Duration = Duration::from_secs(32);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn database_server_is_killed_and_held_under_load() {
    const TEST: &str = "database_server_is_killed_and_held_under_load";
    let Some(mut server) = Mariadb::start(TEST).await else { return };
    let database = TestDatabase::on_server(server.url()).await;
    let mut process = program_on(&database).start().await;
    let client = process.client().clone();
    let boss = admin(&client).await;
    let mut load = Load::new(&client, &boss).await;
    let log = log_of(&database).await;
    for round in 1..=rounds(ROUNDS) {
        let before = log.nothing_read();
        let outage = async {
            pause(300..900).await;
            server.kill9();
            outage_is_told(&client, &boss).await;
            pause(0..1_000).await;
            server.restart().await;
        };
        load.endure(std::slice::from_ref(&client), outage).await;
        let waited = load.journal.take_longest_wait();
        assert!(waited < TOLD, "somebody waited {waited:?} for an answer");
        println!("round {round}: {} after {waited:?} at most", recovered(&mut process, &database, &load).await);
        log.head().await.expect("the database works");
        assert!(log.nothing_read().is_of_another_generation(&before), "the restart was not noticed");
    }
    // Its connections stay open, and it takes up again what it was sent.
    let silence = async {
        pause(300..900).await;
        server.signal("STOP");
        SystemClock.sleep(Duration::from_secs(6)).await;
        server.signal("CONT");
        pause(300..900).await;
    };
    load.endure(std::slice::from_ref(&client), silence).await;
    let waited = load.journal.take_longest_wait();
    assert!(waited < CUT_OFF, "somebody waited {waited:?} for an answer");
    println!("silence: {} after {waited:?} at most", recovered(&mut process, &database, &load).await);
    repeat(&load, &client).await;
    assert!(process.terminate().await.success());
    assert_clean(&process);
}

/// A node that only looks.
async fn log_of(database: &TestDatabase) -> SqlEventLog {
    let ports = LogPorts::alone(Arc::new(SystemClock), Arc::new(RandomIds));
    SqlEventLog::start(History::open(database).await.database, ports).await.expect("the log can be read")
}

/// Reads, writes and the probe say it, each in bounded time; the process itself is well.
async fn outage_is_told(client: &Client, boss: &Person) {
    let (asked, boss) = (Instant::now(), client.with_token(boss.token()));
    let chat = json!({ "initialMessage": "Is anybody there?" });
    let probe = async {
        let reply = client.get("/readyz").await;
        (reply, asked.elapsed())
    };
    let (read, write, (ready, probed)) =
        tokio::join!(boss.get("/v1/conversations"), client.post("/v1/widget/session", &chat), probe);
    assert_is_clear(&read);
    assert_is_clear(&write);
    let log = find_check(&ready.expect(503).body, "eventLog");
    assert!(log["ok"] == false && log["reason"].is_string(), "{log}");
    client.get("/livez").await.expect(200);
    client.get("/health").await.expect(200);
    let told = asked.elapsed();
    // Whether it takes writes is tried every five seconds.
    eventually(DEADLINE, "the database's check fails", async || {
        let ready = client.get("/readyz").await.expect(503).body;
        if find_check(&ready, "database")["reason"].to_string().contains("does not take writes: ") {
            Ok(())
        } else {
            Err(ready)
        }
    })
    .await;
    assert!(told < TOLD && probed < PROBED, "it was told after {told:?}, by the probe after {probed:?}");
}

/// The same process works again, and everything is as it must be. Returns how much there is.
async fn recovered(process: &mut Process, database: &TestDatabase, load: &Load) -> String {
    assert!(process.ended().is_none(), "the program has ended");
    process.wait_until_ready().await;
    // A new one each time: what it has seen before an outage may not have been kept.
    let history = History::open(database).await;
    let position = check(&history, load).await;
    assert_clean(process);
    let (acknowledged, unknown) = load.journal.counts();
    format!("{acknowledged} writes acknowledged, {unknown} not; {position} events")
}

/// What was acknowledged is answered as it was the first time, and changes nothing.
async fn repeat(load: &Load, client: &Client) {
    for write in load.journal.repeatable().iter().rev().take(100) {
        load.journal.send(client, write).await.expect("the database works");
    }
}

/// One of the checks of a readiness probe.
pub fn find_check(ready: &Value, name: &str) -> Value {
    let checks = ready["checks"].as_array().expect("a list of checks");
    checks.iter().find(|check| check["name"] == name).cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_is_cut_and_stalled_around_commits_under_load() {
    const TEST: &str = "connection_is_cut_and_stalled_around_commits_under_load";
    let Some(database) = TestDatabase::mysql(TEST).await else { return };
    let proxy = FaultyProxy::before(database.url()).await;
    let mut process = program_on(&database).setting("DATABASE_URL", proxy.url()).start().await;
    let client = process.client().clone();
    let boss = admin(&client).await;
    let mut load = Load::new(&client, &boss).await;
    for round in 1..=rounds(ROUNDS) {
        let faults: Vec<Fault> = (0..8).map(|_| some_fault()).collect();
        let mischief = async {
            for fault in &faults {
                pause(50..250).await;
                proxy.plan([*fault]);
            }
            eventually(DEADLINE, "every fault has met an append", async || match proxy.planned() {
                0 => Ok(()),
                left => Err(left),
            })
            .await;
            pause(300..600).await;
        };
        load.endure(std::slice::from_ref(&client), mischief).await;
        let waited = load.journal.take_longest_wait();
        assert!(waited < TOLD, "somebody waited {waited:?} for an answer");
        println!("round {round}, {faults:?}: {}", recovered(&mut process, &database, &load).await);
    }
    repeat(&load, &client).await;
    // Nothing was carried out a second time.
    load.journal.check(&History::open(&database).await.events().await);
    client.get("/readyz").await.expect(200);
    assert!(process.terminate().await.success());
    assert_clean(&process);
}

/// Answers of a COMMIT that get lost are what there is most to go wrong with.
fn some_fault() -> Fault {
    match RandomIds.fraction() {
        0.6.. => Fault::CutBeforeAnswer,
        0.45.. => Fault::CutAtOnce,
        0.35.. => Fault::CutBefore,
        // Longer than the appender waits for an answer.
        0.25.. => Fault::Stall(Duration::from_millis(3_500)),
        fraction => Fault::Stall(Duration::from_secs_f64(fraction * 4.0)),
    }
}
