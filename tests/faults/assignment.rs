//! The program dies between a routing decision and its append.

use std::sync::Arc;

use application::ports::LogEvent;
use harness::{DatabaseKind, History, Standing, TestDatabase, each_database, eventually};
use serde_json::json;

use crate::people::{admin, begin_chat, hire, program_on, wait_until_served};
use crate::recovery::{RECOVERY, settled};
use crate::trap::{Outcome, Trap};

each_database!(chat_is_assigned_once_when_the_program_dies_in_the_append);
/// A trigger holds the append fast: the decision is made, and nothing of it is committed.
async fn chat_is_assigned_once_when_the_program_dies_in_the_append(database: TestDatabase) {
    let mut process = program_on(&database).start().await;
    let history = History::open(&database).await;
    let boss = admin(process.client()).await;
    let agent = hire(process.client(), &boss, ("agent", "online", 20)).await;
    let outcomes: &[Outcome] = match database.kind() {
        DatabaseKind::Sqlite => &[Outcome::Lost],
        // A server carries on with a script whose sender has died.
        DatabaseKind::MySql => &[Outcome::Lost, Outcome::Finished],
    };
    let mut guests = vec![];
    for outcome in outcomes {
        let mut trap = Trap::set(&database, *outcome).await;
        guests.push(begin_chat(process.client(), "Is anybody there?").await);
        trap.wait_until_sprung().await;
        let before = history.events().await;
        assert_eq!(count(&before, "ChatStarted"), guests.len());
        assert_eq!(count(&before, "AgentAssigned"), guests.len() - 1, "the append is not committed");
        process.kill9();
        trap.remove().await;
        let left = history.events().await;
        let finished = usize::from(*outcome == Outcome::Finished);
        assert_eq!(count(&left, "AgentAssigned"), guests.len() - 1 + finished, "{outcome:?}");
        process = program_on(&database).start().await;
        wait_until_served(process.client(), &guests, guests.len(), RECOVERY).await;
        assert_eq!(count(&history.events().await, "AgentAssigned"), guests.len(), "each chat was assigned once");
    }
    eventually(RECOVERY, "all is well", async || settled(&history).await).await;
    let path = format!("/v1/agents/{}", agent.id);
    let chats = process.client().with_token(agent.token()).get(&path).await.expect(200).body["activeChats"].clone();
    assert_eq!(chats, json!(guests.len()));
}

each_database!(chats_are_assigned_once_when_the_program_dies_while_many_are_being_assigned);
async fn chats_are_assigned_once_when_the_program_dies_while_many_are_being_assigned(database: TestDatabase) {
    let mut process = program_on(&database).start().await;
    let history = History::open(&database).await;
    let boss = admin(process.client()).await;
    for _ in 0..12 {
        hire(process.client(), &boss, ("agent", "online", 20)).await;
    }
    for round in 1..=3 {
        let client = process.client().with_header("prefer", "respond-async");
        let before = assigned(&history).await;
        let starts = (0..60).map(|_| {
            let client = client.clone();
            let body = json!({ "initialMessage": "Is anybody there?" });
            // Some find the program gone.
            async move { drop(client.try_request(reqwest::Method::POST, "/v1/widget/session", Some(&body)).await) }
        });
        let starts = tokio::spawn(futures::future::join_all(starts));
        eventually(RECOVERY, "some of the chats are assigned", async || {
            let assigned = assigned(&history).await;
            if assigned > before + 5 { Ok(()) } else { Err(assigned) }
        })
        .await;
        process.kill9();
        starts.await.expect("all ask");
        let left = Standing::of(&history.events().await).waiting().count();
        process = program_on(&database).start().await;
        eventually(RECOVERY, "every chat is assigned", async || {
            let standing = Standing::of(&history.events().await);
            if standing.waiting().next().is_none() { Ok(()) } else { Err(standing.waiting().count()) }
        })
        .await;
        let events = history.events().await;
        let (started, assigned) = (count(&events, "ChatStarted"), count(&events, "AgentAssigned"));
        assert_eq!(started, assigned, "each chat was assigned once");
        println!("round {round}: {started} chats, of which {left} waited at the kill");
    }
    eventually(RECOVERY, "all is well", async || settled(&history).await).await;
}

fn count(events: &[Arc<LogEvent>], event_type: &str) -> usize {
    events.iter().filter(|event| event.header.event_type == event_type).count()
}

async fn assigned(history: &History) -> usize {
    count(&history.events().await, "AgentAssigned")
}
