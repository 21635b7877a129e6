//! Chats that are handed to another group.

use harness::{Server, TestDatabase, each_database};
use serde_json::json;

use crate::support::active;

each_database!(transfer_to_a_group_waits_at_its_end);
async fn transfer_to_a_group_waits_at_its_end(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let anna = server.agent(5).await;
    let sales = admin.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201).body;
    let first = server.visitor("first").await;
    active(&first.client, &first.chat("")).await;
    let session = json!({ "initialMessage": "second", "groupId": sales["id"] });
    server.client().post("/v1/widget/session", &session).await.expect(201);
    let path = format!("{}/transfer", first.chat(""));
    let to_sales = json!({ "groupId": sales["id"] });
    first.client.post(&path, &to_sales).await.expect(403);
    let with_reason = json!({ "groupId": sales["id"], "reason": "wants a discount" });
    let chat = anna.client.post(&path, &with_reason).await.expect(200).body;
    assert_eq!((&chat["status"], &chat["queuePosition"]), (&json!("pending"), &json!(2)));
    let hands = admin.get(&format!("{}/assignments", first.chat(""))).await.expect(200).body;
    let returned = json!({
        "kind": "returned", "cause": "transferred", "groupId": sales["id"], "by": anna.id, "reason": "wants a discount",
    });
    assert_eq!((&hands["data"][1]["assignment"], &hands["data"][1]["agentId"]), (&returned, &json!(null)));
    // What the visitor may read does not tell.
    for read in [first.chat(""), format!("/v1/threads/{}/events", first.thread_id)] {
        assert!(!first.client.get(&read).await.expect(200).body.to_string().contains("discount"), "{read}");
    }
    assert_eq!(admin.get(&format!("/v1/agents/{}", anna.id)).await.body["activeChats"], 0);
    anna.client.post(&path, &json!({})).await.expect(400);
}

each_database!(chat_is_handed_over_by_whoever_serves_it_who_then_is_out_of_it);
async fn chat_is_handed_over_by_whoever_serves_it_who_then_is_out_of_it(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(1).await;
    let vera = server.visitor("Hello").await;
    active(&vera.client, &vera.chat("")).await;
    let ben = server.agent(1).await;
    let to_ben = json!({ "agentId": ben.id });
    // A colleague who does not serve the chat hands it to nobody.
    ben.client.post(&vera.chat("/transfer"), &to_ben).await.expect(403);
    anna.client.post(&vera.chat("/transfer"), &to_ben).await.expect(200);
    anna.client.post(&vera.chat("/events"), &json!({ "content": "One more thing" })).await.expect(403);
    anna.client.post(&vera.chat("/transfer"), &json!({ "agentId": anna.id })).await.expect(403);
    // The receiver is in it at once.
    assert_eq!(ben.client.get(&vera.chat("")).await.expect(200).body["assignedAgent"]["id"], json!(ben.id));
    ben.client.post(&vera.chat("/events"), &json!({ "content": "Hello" })).await.expect(201);
}
