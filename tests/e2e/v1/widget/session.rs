//! Chats that visitors begin.

use harness::desk::{NOBODY, assert_field};
use harness::{Server, TestDatabase, each_database};
use serde_json::json;

use crate::support::said;

each_database!(unknown_group_is_refused);
async fn unknown_group_is_refused(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.person("agent", "away", 1).await;
    // An id that exists, but of something else, is no group either.
    for id in [NOBODY, &anna.id] {
        let reply = server.client().post("/v1/widget/session", &json!({ "initialMessage": "x", "groupId": id })).await;
        assert_field(&reply, "groupId", "the group does not exist");
    }
    assert_eq!(anna.client.get("/v1/conversations").await.expect(200).body["data"], json!([]));
}

each_database!(returning_visitor_gets_the_open_chat_and_loses_no_word);
async fn returning_visitor_gets_the_open_chat_and_loses_no_word(database: TestDatabase) {
    let server = Server::start(&database).await;
    let visitor = server.visitor("First").await;
    let token = visitor.client.token().unwrap();
    let again = json!({ "initialMessage": "Second", "sessionToken": token, "name": "Vera" });
    let session = server.client().post("/v1/widget/session", &again).await.expect(201).body;
    assert_eq!(session["conversationId"], json!(visitor.conversation_id));
    assert_eq!(session["visitorId"], json!(visitor.id));
    let events = visitor.client.get(&format!("/v1/threads/{}/events", visitor.thread_id)).await.body;
    assert_eq!(said(&events), ["First", "Second"]);
}

each_database!(racing_sessions_of_one_visitor_get_the_same_chat);
async fn racing_sessions_of_one_visitor_get_the_same_chat(database: TestDatabase) {
    let server = Server::start(&database).await;
    let visitor = server.visitor("First").await;
    let close = format!("/v1/conversations/{}/close", visitor.conversation_id);
    visitor.client.post(&close, &json!({ "reason": "done" })).await.expect(200);
    let token = visitor.client.token().unwrap();
    let racers = (0..16).map(|n| {
        let client = server.client();
        let body = json!({ "initialMessage": format!("racer {n}"), "sessionToken": token });
        async move { client.post("/v1/widget/session", &body).await.expect(201).body }
    });
    let sessions = futures::future::join_all(racers).await;
    let first = &sessions[0]["conversationId"];
    assert_ne!(first, &json!(visitor.conversation_id));
    assert!(sessions.iter().all(|session| &session["conversationId"] == first), "{sessions:?}");
    let thread = sessions[0]["threadId"].as_str().unwrap();
    let events = visitor.client.get(&format!("/v1/threads/{thread}/events")).await.expect(200).body;
    assert_eq!(said(&events).len(), 16);
}
