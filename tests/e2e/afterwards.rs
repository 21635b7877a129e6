//! What is left to read of chats that have ended.

use harness::{Server, Visitor, on_each_database};
use serde_json::{Value, json};

on_each_database! {
    async fn agents_read_why_a_chat_was_closed_and_visitors_never_see_the_notes(database: TestDatabase) {
        let server = Server::start(&database).await;
        let anna = server.person("agent", "away", 3).await;
        let vera = server.visitor("Hello").await;
        anna.client.post(&path(&vera, "/assign"), &json!({ "agentId": anna.id })).await.expect(200);
        let ending = json!({ "reason": "answered", "notes": "wants a discount" });
        let closed = anna.client.post(&path(&vera, "/close"), &ending).await.expect(200);
        assert!(!closed.body.to_string().contains("discount"));
        vera.client.post(&path(&vera, "/reopen"), &json!({})).await.expect(200);
        vera.client.post(&path(&vera, "/close"), &json!({ "reason": "bored" })).await.expect(200);

        let told = anna.client.get(&path(&vera, "/assignments")).await.expect(200).body["data"].clone();
        assert_eq!(told.as_array().unwrap().len(), 3, "{told}");
        let by_agent = json!({
            "kind": "closed", "closedBy": { "type": "agent", "id": anna.id }, "reason": "answered",
            "notes": "wants a discount",
        });
        assert_eq!(told[1]["assignment"], by_agent);
        let fields = (&told[1]["agentId"], &told[1]["previousAgentId"], &told[1]["threadId"], &told[1]["at"]);
        assert_eq!(fields, (&Value::Null, &json!(anna.id), &json!(vera.thread_id), &closed.body["closedAt"]));
        let by_visitor =
            json!({ "kind": "closed", "closedBy": { "type": "visitor", "id": vera.id }, "reason": "bored" });
        assert_eq!((&told[2]["assignment"], &told[2]["previousAgentId"]), (&by_visitor, &Value::Null));

        vera.client.get(&path(&vera, "/assignments")).await.expect(403);
        let chat = vera.client.get(&path(&vera, "")).await.expect(200).body;
        let threads = chat["threadIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap());
        for read in threads.map(|id| format!("/v1/threads/{id}/events")).chain([path(&vera, "")]) {
            let body = vera.client.get(&read).await.expect(200).body.to_string();
            assert!(!body.contains("discount"), "{read}: {body}");
        }
    }
}

fn path(visitor: &Visitor, end: &str) -> String {
    format!("/v1/conversations/{}{end}", visitor.conversation_id)
}
