//! How long a chat waits for a free agent: an open loop, in which chats begin whether or not earlier ones are served.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use application::ports::Clock as _;
use domain::conversation::ConversationEvent;
use domain::event::AnyEvent;
use harness::{ADMIN_EMAIL, History, Process, TestDatabase};
use hdrhistogram::Histogram;
use infrastructure::system::SystemClock;
use serde_json::Value;
use tokio::time::sleep_until;

use crate::closed_loop::{histogram, micros, quantile_ms};
use crate::connection::{Connection, request};
use crate::desk::{hire, log_in, program};

const AGENTS: usize = 100;
const LIMIT: usize = 20;
/// Chats per second.
const RATE: u32 = 100;
/// How often a visitor looks whether the chat is served.
const POLL: Duration = Duration::from_millis(2);

/// Times in milliseconds.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Times {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

/// What was found.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Routing {
    pub agents: usize,
    pub chats_per_second: u32,
    pub chats: u32,
    /// From the moment in which the request was due until its answer.
    pub start_answered: Times,
    /// From the moment in which the request was due until the visitor saw the chat served.
    pub served_in_view: Times,
    /// From the start to the assignment, as the log recorded them.
    pub in_the_log: Times,
}

/// Measures for this long.
pub async fn run(database: &TestDatabase, seconds: u32) -> Routing {
    let process = program(database).start().await;
    let admin = log_in(process.client(), ADMIN_EMAIL).await;
    for _ in 0..AGENTS {
        hire(process.client(), &admin, LIMIT).await;
    }
    let chats = (RATE * seconds).min((AGENTS * LIMIT) as u32);
    let begin = Instant::now() + Duration::from_millis(100);
    let visits = (0..chats).map(|n| visit(&process, begin + Duration::from_secs(1) / RATE * n));
    let (mut answered, mut served) = (histogram(), histogram());
    for (answer, service) in futures::future::join_all(visits).await {
        answered.saturating_record(micros(answer));
        served.saturating_record(micros(service));
    }
    Routing {
        agents: AGENTS,
        chats_per_second: RATE,
        chats,
        start_answered: times(&answered),
        served_in_view: times(&served),
        in_the_log: times(&by_log(database).await),
    }
}

async fn visit(process: &Process, due: Instant) -> (Duration, Duration) {
    const BODY: &str = r#"{"initialMessage":"Hello, is anybody there?"}"#;
    sleep_until(due.into()).await;
    let address = process.base().trim_start_matches("http://");
    let mut connection = Connection::open(address).await.expect("the program listens");
    let answer = connection.send(&request("POST", "/v1/widget/session", None, BODY)).await.expect("an answer");
    let answered = due.elapsed();
    assert_eq!(answer.status, 201);
    let session: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let text = |field: &str| session[field].as_str().expect("a text").to_owned();
    let path = format!("/v1/conversations/{}", text("conversationId"));
    let look = request("GET", &path, Some(&text("sessionToken")), "");
    let mut status = text("status");
    while status != "active" {
        SystemClock.sleep(POLL).await;
        let answer = connection.send(&look).await.expect("an answer");
        let chat: Value = serde_json::from_slice(&answer.body).expect("JSON");
        status = chat["status"].as_str().expect("a status").to_owned();
    }
    (answered, due.elapsed())
}

async fn by_log(database: &TestDatabase) -> Histogram<u64> {
    let mut started = HashMap::new();
    let mut times = histogram();
    for event in History::open(database).await.events().await {
        let (id, at) = (event.header.aggregate_id, event.header.recorded_at);
        match event.event {
            AnyEvent::Conversation(ConversationEvent::ChatStarted { .. }) => {
                started.insert(id, at);
            }
            AnyEvent::Conversation(ConversationEvent::AgentAssigned { .. }) => {
                times.saturating_record(micros(at.since(started[&id])).max(1));
            }
            _ => {}
        }
    }
    times
}

fn times(of: &Histogram<u64>) -> Times {
    Times { p50: quantile_ms(of, 0.5), p99: quantile_ms(of, 0.99), max: of.max() as f64 / 1_000.0 }
}
