//! Chats begin at fixed times, whether or not earlier ones are served.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::conversation::ConversationEvent;
use domain::event::AnyEvent;
use harness::{ADMIN_EMAIL, History, Process, TestDatabase};
use hdrhistogram::Histogram;
use serde_json::Value;
use tokio::time::sleep_until;

use super::{AGENTS, due, until_served};
use crate::connection::{Connection, request};
use crate::driver::{Latency, histogram, micros};
use crate::team::{hire, log_in, program};

/// How many chats each agent may serve: enough that none waits.
const LIMIT: usize = 20;
const PER_SECOND: u32 = 100;
const CHATS: usize = 1_000;

/// What was found.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Starts {
    pub agents: usize,
    pub per_second: u32,
    pub chats: usize,
    /// From the moment in which the request was due until its answer.
    pub answered: Latency,
    /// From the moment in which the request was due until the visitor saw the chat served.
    pub seen: Latency,
    /// From the start to the assignment, as the log recorded them.
    pub in_the_log: Latency,
}

pub async fn run(database: &TestDatabase) -> Starts {
    let process = program(database).start().await;
    let admin = log_in(process.client(), ADMIN_EMAIL).await;
    for _ in 0..AGENTS {
        hire(process.client(), &admin, LIMIT).await;
    }
    let begin = Instant::now() + Duration::from_millis(100);
    let visits = (0..CHATS).map(|n| visit(&process, due(begin, n, PER_SECOND)));
    let (mut answered, mut seen) = (histogram(), histogram());
    for (answer, service) in futures::future::join_all(visits).await {
        answered.saturating_record(micros(answer));
        seen.saturating_record(micros(service));
    }
    Starts {
        agents: AGENTS,
        per_second: PER_SECOND,
        chats: CHATS,
        answered: Latency::of(&answered),
        seen: Latency::of(&seen),
        in_the_log: Latency::of(&by_log(database).await),
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
    let text = |field: &str| session[field].as_str().expect("a text");
    if text("status") != "active" {
        until_served(&mut connection, text("conversationId"), text("sessionToken")).await;
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
