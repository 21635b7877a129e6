//! Agents in figures.

use std::time::Duration;

use harness::desk::{NOBODY, assert_problem, wait_for_agent};
use harness::{Person, Server, TestDatabase, Visitor, each_database};
use serde_json::{Value, json};

each_database!(figures_of_an_agent_follow_what_they_do);
async fn figures_of_an_agent_follow_what_they_do(database: TestDatabase) {
    let server = Server::start(&database).await;
    let boss = server.person("supervisor", "away", 5).await;
    let anna = server.agent(2).await;
    let none = stats(&anna, &anna).await;
    assert_eq!((&none["activeChats"], &none["maxConcurrentChats"]), (&json!(0), &json!(2)));
    let free = json!({ "status": "online", "acceptingChats": true, "freeSlots": 2, "available": true });
    assert_eq!(none["availability"], free);
    assert_eq!(none["chats"], json!({ "today": 0, "last7Days": 0, "last30Days": 0 }));
    let nulls = [&none["firstResponseSeconds"], &none["chatDurationSeconds"], &none["rating"]];
    assert_eq!(nulls, [&Value::Null; 3]);

    let first = server.visitor("one").await;
    wait_for_agent(&first, &anna.id).await;
    server.clock.advance(Duration::from_secs(40));
    say(&anna, &first).await;
    say(&anna, &first).await;
    let serving = stats(&boss, &anna).await;
    assert_eq!((&serving["activeChats"], &serving["availability"]["freeSlots"]), (&json!(1), &json!(1)));
    assert_eq!((&serving["chats"]["today"], &serving["messagesSent"]["today"]), (&json!(1), &json!(2)));
    assert_seconds(&serving["firstResponseSeconds"]["p50"], 40.0);
    assert_eq!(serving["chatDurationSeconds"], Value::Null);

    // Over the limit by a supervisor's choice: no slot is free, and none is owed.
    let more = [server.visitor("two").await, server.visitor("three").await];
    wait_for_agent(&more[0], &anna.id).await;
    let assign = format!("/v1/conversations/{}/assign", more[1].conversation_id);
    boss.client.post(&assign, &json!({ "agentId": anna.id })).await.expect(200);
    let over = stats(&anna, &anna).await;
    assert_eq!((&over["activeChats"], &over["availability"]["freeSlots"]), (&json!(3), &json!(0)));
    assert_eq!(over["availability"]["available"], false);

    server.clock.advance(Duration::from_secs(60));
    first.close(&anna.client).await;
    let transfer = format!("/v1/conversations/{}/transfer", more[0].conversation_id);
    boss.client.post(&transfer, &json!({ "agentId": boss.id })).await.expect(200);
    let later = stats(&anna, &anna).await;
    assert_eq!((&later["activeChats"], &later["chats"]["today"]), (&json!(1), &json!(3)));
    assert_eq!(later["chatDurationSeconds"]["count"], 2);
    assert_seconds(&later["chatDurationSeconds"]["p90"], 100.0);
    assert_eq!(stats(&boss, &boss).await["chats"]["today"], 1);

    // A reopened conversation is a new thread, and a new chat for the agent that gets it.
    let reopen = format!("/v1/conversations/{}/reopen", first.conversation_id);
    first.client.post(&reopen, &json!({})).await.expect(200);
    wait_for_agent(&first, &anna.id).await;
    server.clock.advance(Duration::from_secs(8 * 86_400));
    let anna = server.log_in("agent1@example.com").await;
    let week = stats(&anna, &anna).await;
    assert_eq!(week["chats"], json!({ "today": 0, "last7Days": 0, "last30Days": 4 }));
    server.clock.advance(Duration::from_secs(30 * 86_400));
    let anna = server.log_in("agent1@example.com").await;
    let month = stats(&anna, &anna).await;
    assert_eq!(month["chats"], json!({ "today": 0, "last7Days": 0, "last30Days": 0 }));
    assert_eq!((&month["firstResponseSeconds"], &month["activeChats"]), (&Value::Null, &json!(2)));
}

each_database!(figures_are_for_the_agent_and_supervisors);
async fn figures_are_for_the_agent_and_supervisors(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, ben) = (server.agent(1).await, server.agent(1).await);
    let (boss, admin) = (server.person("supervisor", "offline", 1).await, server.admin().await);
    let path = format!("/v1/agents/{}/stats", anna.id);
    for (person, status) in [(&anna, 200), (&ben, 403), (&boss, 200), (&admin, 200)] {
        person.client.get(&path).await.expect(status);
    }
    let nobody = format!("/v1/agents/{NOBODY}/stats");
    assert_problem(&boss.client.get(&nobody).await, 404, "not_found");
    admin.client.delete(&format!("/v1/agents/{}", anna.id)).await.expect(200);
    assert_problem(&boss.client.get(&path).await, 404, "not_found");
}

async fn stats(caller: &Person, agent: &Person) -> Value {
    caller.client.get(&format!("/v1/agents/{}/stats", agent.id)).await.expect(200).body
}

async fn say(person: &Person, visitor: &Visitor) {
    let path = format!("/v1/threads/{}/events", visitor.thread_id);
    person.client.post(&path, &json!({ "content": "Yes?" })).await.expect(201);
}

/// The clock goes on while the test runs.
#[track_caller]
fn assert_seconds(found: &Value, expected: f64) {
    let seconds = found.as_f64().unwrap();
    assert!((expected..expected + 30.0).contains(&seconds), "{seconds} is not {expected}");
}
