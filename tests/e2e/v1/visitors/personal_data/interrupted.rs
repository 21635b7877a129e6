//! An operator who changes their mind, or whose terminal goes away.

use std::fs;
use std::time::Duration;

use application::ports::Clock as _;
use harness::{Client, DEADLINE, Process, Server, TestDatabase, each_database, eventually};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::system::SystemClock;
use reqwest::Method;
use serde_json::json;

use super::{assert_forgotten, hello, ok, personal_data, run, traces, verdict};

/// A visitor whose messages take several transactions to erase.
async fn talkative(process: &Process) -> (String, Client) {
    let login = json!({ "email": harness::ADMIN_EMAIL, "password": harness::PASSWORD });
    let reply = process.client().post("/v1/auth/login", &login).await.expect(200);
    let admin = process.client().with_token(reply.text("/access_token"));
    let begun = process.client().post("/v1/widget/session", &hello(None)).await.expect(201);
    let client = process.client().with_token(begun.text("/sessionToken")).with_header("Prefer", "respond-async");
    let thread = format!("/v1/threads/{}/events", begun.text("/threadId"));
    let senders: Vec<_> = (0..10)
        .map(|_| {
            let (client, thread) = (client.clone(), thread.clone());
            tokio::spawn(async move {
                for _ in 0..130 {
                    client.post(&thread, &json!({ "content": "xylophagous" })).await.expect(201);
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    (begun.text("/visitorId").to_owned(), admin)
}

each_database!(killed_erasure_leaves_a_whole_log_and_is_done_by_the_next);
async fn killed_erasure_leaves_a_whole_log_and_is_done_by_the_next(database: TestDatabase) {
    let builder = Process::on(&database)
        .setting("ADMIN_EMAIL", harness::ADMIN_EMAIL)
        .setting("ADMIN_PASSWORD", harness::PASSWORD);
    let mut process = builder.clone().start().await;
    let (id, _) = talkative(&process).await;
    let (mut kills, mut between) = (0, 0);
    for delay in [5, 15, 30, 45, 60, 80, 100, 130] {
        let login = json!({ "email": harness::ADMIN_EMAIL, "password": harness::PASSWORD });
        let reply = process.client().post("/v1/auth/login", &login).await.expect(200);
        let admin = process.client().with_token(reply.text("/access_token"));
        let path = personal_data(&id);
        let erasing = tokio::spawn(async move { admin.try_request(Method::DELETE, &path, None).await.is_ok() });
        SystemClock.sleep(Duration::from_millis(delay)).await;
        process.kill9();
        let finished = erasing.await.unwrap();
        let verified = verdict(&database, &["audit", "verify", "--json"]);
        let erased = verified["erased"].as_i64().unwrap();
        kills += 1;
        between += i32::from((1..1_300).contains(&erased));
        process = builder.clone().start().await;
        if finished {
            break;
        }
    }
    println!("{kills} kills, {between} between pieces");
    let login = json!({ "email": harness::ADMIN_EMAIL, "password": harness::PASSWORD });
    let reply = process.client().post("/v1/auth/login", &login).await.expect(200);
    process.client().with_token(reply.text("/access_token")).delete(&personal_data(&id)).await.expect(200);
    assert_forgotten(&database).await;
    ok(run(&database, &["replay", "--verify"]));
}

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

each_database!(interrupted_erasure_says_what_is_done_and_is_done_again);
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
