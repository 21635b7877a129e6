//! Chats that go on.

use harness::desk::wait_for_agent;
use harness::{Server, TestDatabase, each_database};
use serde_json::json;

use crate::support::active_chats;

each_database!(reopening_exceeds_no_limit);
async fn reopening_exceeds_no_limit(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(1).await;
    let first = server.visitor("first").await;
    wait_for_agent(&first, &anna.id).await;
    first.close(&anna.client).await;
    let second = server.visitor("second").await;
    wait_for_agent(&second, &anna.id).await;
    let path = format!("/v1/conversations/{}/reopen", first.conversation_id);
    let reopened = anna.client.post(&path, &json!({})).await.expect(200).body;
    assert_eq!((&reopened["status"], &reopened["queuePosition"]), (&json!("pending"), &json!(1)));
    second.close(&second.client).await;
    wait_for_agent(&first, &anna.id).await;
    assert_eq!(active_chats(&server, &anna).await, 1);
}

each_database!(reopening_next_to_an_open_chat_names_that_chat);
async fn reopening_next_to_an_open_chat_names_that_chat(database: TestDatabase) {
    let server = Server::start(&database).await;
    let first = server.visitor("first").await;
    first.close(&first.client).await;
    let again = json!({ "initialMessage": "second", "sessionToken": first.client.token() });
    let second = server.client().post("/v1/widget/session", &again).await.expect(201);
    let path = format!("/v1/conversations/{}/reopen", first.conversation_id);
    let admin = server.admin().await.client;
    for caller in [&first.client, &admin] {
        let refused = caller.post(&path, &json!({})).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("visitor_has_open_chat")));
        assert_eq!(refused.body["openConversationId"], second.body["conversationId"]);
    }
}
