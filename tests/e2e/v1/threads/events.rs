//! Messages and their authors.

use harness::desk::{assert_field, assert_problem, wait_for_agent};
use harness::{Server, TestDatabase, each_database};
use serde_json::json;

each_database!(nobody_writes_as_an_agent_without_a_token);
async fn nobody_writes_as_an_agent_without_a_token(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(1).await;
    let visitor = server.visitor("Hello").await;
    wait_for_agent(&visitor, &anna.id).await;
    let path = format!("/v1/threads/{}/events", visitor.thread_id);
    for author in ["agent", "system", "visitor"] {
        let body = json!({ "content": "Forged", "authorType": author });
        assert_problem(&server.client().post(&path, &body).await, 401, "unauthorized");
    }
    for author in ["agent", "system"] {
        let body = json!({ "content": "Forged", "authorType": author });
        assert_problem(&visitor.client.post(&path, &body).await, 403, "forbidden");
    }
    let named = json!({ "content": "Forged", "authorType": "agent", "authorId": anna.id });
    assert_field(&visitor.client.post(&path, &named).await, "authorId", "is not known");
    let events = visitor.client.get(&path).await.expect(200).body;
    assert!(!events.to_string().contains("Forged"), "{events}");
}

each_database!(message_of_an_agent_carries_their_id);
async fn message_of_an_agent_carries_their_id(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(1).await;
    let visitor = server.visitor("Hello").await;
    wait_for_agent(&visitor, &anna.id).await;
    let path = format!("/v1/threads/{}/events", visitor.thread_id);
    let sent = anna.client.post(&path, &json!({ "content": "I am Anna" })).await.expect(201).body;
    let events = visitor.client.get(&path).await.expect(200).body;
    let read = events["data"].as_array().unwrap().last().unwrap();
    assert_eq!(read, &sent);
    assert_eq!((&read["authorType"], &read["authorId"]), (&json!("agent"), &json!(anna.id)));
}

each_database!(author_is_who_the_token_names);
async fn author_is_who_the_token_names(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(2).await;
    let visitor = server.client().visitor(json!({ "initialMessage": "Hello" })).await;
    wait_for_agent(&visitor, &anna.id).await;
    let thread = format!("/v1/threads/{}/events", visitor.thread_id);
    let chat = format!("/v1/conversations/{}/events", visitor.conversation_id);
    let head = server.app().log.head().await.unwrap().position;
    for path in [&thread, &chat] {
        for (client, own) in [(&visitor.client, "visitor"), (&anna.client, "agent")] {
            for claimed in ["visitor", "agent", "system"].into_iter().filter(|claimed| *claimed != own) {
                let reply = client.post(path, &json!({ "content": "x", "authorType": claimed })).await;
                assert_problem(&reply, 403, "forbidden");
            }
        }
    }
    assert_eq!(server.app().log.head().await.unwrap().position, head);
    for (client, own, id) in [(&visitor.client, "visitor", &visitor.id), (&anna.client, "agent", &anna.id)] {
        let sent = client.post(&thread, &json!({ "content": "x", "authorType": own })).await.expect(201).body;
        assert_eq!((&sent["authorType"], &sent["authorId"]), (&json!(own), &json!(id)));
    }
}
