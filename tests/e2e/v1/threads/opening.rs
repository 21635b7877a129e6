//! The message that comes with a chat, sent again as a message.

use harness::{Server, TestDatabase, each_database};
use serde_json::json;

each_database!(first_message_that_comes_again_is_taken_once);
async fn first_message_that_comes_again_is_taken_once(database: TestDatabase) {
    let server = Server::start(&database).await;
    let vera = server.client().visitor(json!({ "initialMessage": "Hello", "clientEventId": "m-1" })).await;
    let path = format!("/v1/threads/{}/events", vera.thread_id);
    let again = json!({ "content": "Hello", "clientEventId": "m-1" });
    let (one, other) =
        (vera.client.post(&path, &again).await.expect(201), vera.client.post(&path, &again).await.expect(201));
    let listed = vera.client.get(&path).await.expect(200).body;
    let messages: Vec<_> = listed["data"].as_array().unwrap().iter().filter(|one| one["type"] == "message").collect();
    assert_eq!(messages.len(), 1, "{messages:?}");
    for sent in [one, other] {
        assert_eq!((&sent.body["id"], &sent.body["position"]), (&messages[0]["id"], &messages[0]["position"]));
    }
    let next = json!({ "content": "Hello", "clientEventId": "m-2" });
    assert_ne!(vera.client.post(&path, &next).await.expect(201).body["id"], messages[0]["id"]);
}
