//! Chats that their visitors have left.

use std::time::Duration;

use api::config::Settings;
use harness::desk::wait_for_agent;
use harness::{DEADLINE, Server, TestClock, TestDatabase, each_database, eventually};
use serde_json::{Value, json};

/// The server looks ten times in this span of real time.
const AFTER: Duration = Duration::from_secs(30);

async fn statuses(chats: &[harness::Visitor]) -> Vec<Value> {
    let mut statuses = vec![];
    for chat in chats {
        statuses.push(chat.conversation().await["status"].clone());
    }
    statuses
}

each_database!(chat_ends_whose_visitor_leaves_the_last_word_to_the_agent);
async fn chat_ends_whose_visitor_leaves_the_last_word_to_the_agent(database: TestDatabase) {
    let change = |settings: &mut Settings| settings.limits.chats.abandoned_after = AFTER;
    let server = Server::start_with(&database, TestClock::new(), change).await;
    let anna = server.agent(3).await;
    let mut chats = vec![];
    for message in ["answered and gone", "not answered yet", "answered, and said something since"] {
        let chat = server.visitor(message).await;
        wait_for_agent(&chat, &anna.id).await;
        chats.push(chat);
    }
    let path = |n: usize| format!("/v1/threads/{}/events", chats[n].thread_id);
    for n in [0, 2] {
        anna.client.post(&path(n), &json!({ "content": "How can I help?" })).await.expect(201);
    }
    chats[2].client.post(&path(2), &json!({ "content": "My order is lost." })).await.expect(201);
    let waiting = server.visitor("a real customer").await;
    assert_eq!(statuses(&chats).await, ["active", "active", "active"]);
    server.clock.advance(AFTER);
    eventually(DEADLINE, "the chat is closed", async || {
        let found = statuses(&chats).await;
        if found == ["closed", "active", "active"] { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    // The slot is free for somebody else, and the visitor may come back.
    wait_for_agent(&waiting, &anna.id).await;
    let reopen = format!("/v1/conversations/{}/reopen", chats[0].conversation_id);
    chats[0].client.post(&reopen, &json!({})).await.expect(200);
}
