//! Chats that end.

use harness::desk::{assert_problem, wait_for_agent};
use harness::{Server, TestDatabase, each_database};
use serde_json::{Value, json};

each_database!(closing_closes_the_thread_and_tells_who_and_when);
async fn closing_closes_the_thread_and_tells_who_and_when(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(2).await;
    let visitor = server.visitor("Hello").await;
    wait_for_agent(&visitor, &anna.id).await;
    let chat = format!("/v1/conversations/{}", visitor.conversation_id);
    let thread = format!("/v1/threads/{}/events", visitor.thread_id);
    for (closer, kind, id) in [(&anna.client, "agent", &anna.id), (&visitor.client, "visitor", &visitor.id)] {
        let active = visitor.conversation().await["activeThreadId"].as_str().unwrap().to_owned();
        let active = format!("/v1/threads/{active}/events");
        let closed = closer.post(&format!("{chat}/close"), &json!({ "reason": "done" })).await.expect(200).body;
        assert_eq!((&closed["status"], &closed["activeThreadId"]), (&json!("closed"), &Value::Null));
        let events = visitor.client.get(&active).await.expect(200).body;
        let last = events["data"].as_array().unwrap().last().unwrap();
        assert_eq!(last["systemType"], "thread_closed");
        assert_eq!(last["metadata"]["closedBy"], json!({ "type": kind, "id": id }));
        assert_eq!(last["createdAt"], closed["closedAt"]);
        for client in [&anna.client, &visitor.client] {
            for path in [&active, &thread, &format!("{chat}/events")] {
                assert_problem(&client.post(path, &json!({ "content": "late" })).await, 409, "chat_closed");
            }
        }
        visitor.client.post(&format!("{chat}/reopen"), &json!({})).await.expect(200);
        wait_for_agent(&visitor, &anna.id).await;
        assert_problem(&visitor.client.post(&active, &json!({ "content": "late" })).await, 409, "chat_closed");
    }
}
