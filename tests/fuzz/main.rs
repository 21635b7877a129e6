//! Random requests to every operation of the OpenAPI document, by everybody, in the state that earlier ones have made.
//!
//! `FUZZ_REQUESTS` says how many on each database, `FUZZ_SEED` which: the same seed chooses the same requests as long as the
//! answers are the same. A run prints its seed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as in itself")]

mod document;
mod fuzzer;
mod hostile;
mod known;
mod people;
mod plan;
mod proxy;
mod report;
mod request;
mod values;

use harness::{ADMIN_EMAIL, PASSWORD, Process, ProcessBuilder, TestDatabase, each_database, run_on};
use infrastructure::database::{Database, DatabaseOptions};

use document::operations;
use fuzzer::Fuzzer;
use proxy::Proxy;

/// How many requests on each database, unless `FUZZ_REQUESTS` says otherwise.
const REQUESTS: u64 = 2_000;

/// Which, unless `FUZZ_SEED` says otherwise: a failure is one that somebody made.
const SEED: u64 = 1;

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn program_on(database: &TestDatabase) -> ProcessBuilder {
    Process::on(database)
        .setting("ADMIN_EMAIL", ADMIN_EMAIL)
        .setting("ADMIN_PASSWORD", PASSWORD)
        .setting("RUST_LOG", "warn")
}

fn names() -> Vec<&'static str> {
    operations().iter().map(|operation| operation.id).collect()
}

/// The commands that find something wrong with what is stored, with what they say.
fn verdicts(database: &TestDatabase) -> Vec<(String, String)> {
    let commands: [&[&str]; 3] = [&["check", "--invariants"], &["audit", "verify"], &["replay", "--verify"]];
    let outputs = commands.map(|words| (words.join(" "), run_on(database, words, &[])));
    let failed = outputs.into_iter().filter(|(_, output)| !output.status.success());
    failed.map(|(words, output)| (words, format!("{output:?}"))).collect()
}

/// Waits until the views have everything, and stops the program.
async fn stop(mut process: Process) {
    let admin = process.client().log_in(ADMIN_EMAIL).await.client;
    let head = admin.get("/v1/audit?sort=newest&limit=1").await.expect(200).body["data"][0]["position"].to_string();
    admin.with_header("If-Position-At-Least", &head).get("/v1/conversations").await.expect(200);
    assert!(process.terminate().await.success());
    let log = process.log();
    let failures: Vec<_> = log.lines().filter(|line| line.contains("ERROR") || line.contains("panicked")).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

each_database!(random_requests_get_documented_answers_and_leave_a_sound_log);
async fn random_requests_get_documented_answers_and_leave_a_sound_log(database: TestDatabase) {
    let (seed, requests) = (setting("FUZZ_SEED").unwrap_or(SEED), setting("FUZZ_REQUESTS").unwrap_or(REQUESTS));
    println!("FUZZ_SEED={seed} FUZZ_REQUESTS={requests}");
    let process = program_on(&database).start().await;
    let report = Fuzzer::open(process.base(), process.base(), seed).await.run(requests.try_into().unwrap()).await;
    println!("{report}");
    let problems = report.problems(&names());
    assert!(problems.is_empty(), "seed {seed}:\n{}", problems.join("\n"));
    stop(process).await;
    assert_eq!(verdicts(&database), []);
}

/// The findings of a short run in which a proxy gives the answer of this number.
async fn findings_with(status: u16, body: &'static str) -> Vec<String> {
    let database = TestDatabase::sqlite();
    let process = program_on(&database).start().await;
    let proxy = Proxy::before(process.base(), 70, status, body).await;
    Fuzzer::open(process.base(), proxy.base(), SEED).await.run(90).await.findings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_answer_of_500_is_found() {
    let found = findings_with(500, "{}").await;
    assert!(found.len() == 1 && found[0].contains("500"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_answer_with_an_undocumented_field_is_found() {
    let found = findings_with(200, r#"{"odd":true}"#).await;
    assert_eq!(found.len(), 1, "{found:?}");
}

each_database!(row_and_event_that_were_changed_by_hand_are_found);
async fn row_and_event_that_were_changed_by_hand_are_found(database: TestDatabase) {
    let process = program_on(&database).start().await;
    Fuzzer::open(process.base(), process.base(), SEED).await.run(100).await;
    stop(process).await;
    assert_eq!(verdicts(&database), []);
    let store = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    let found = || verdicts(&database).into_iter().map(|(command, _)| command).collect::<Vec<_>>();
    store.execute("UPDATE agents SET name = 'Zzz'", vec![]).await.unwrap();
    assert_eq!(found(), ["replay --verify"]);
    store.execute("UPDATE events SET actor = 'system:nobody' WHERE position = 3", vec![]).await.unwrap();
    assert_eq!(found(), ["audit verify", "replay --verify"]);
    store.close().await;
}
