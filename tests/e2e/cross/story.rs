//! Chats from their beginning to their end.

use std::collections::HashSet;

use harness::desk::wait_for_agent;
use harness::{Client, DEADLINE, History, Server, TestDatabase, each_database, eventually};
use serde_json::{Value, json};

use crate::support::{active, active_chats, id, said};

each_database!(crowd_of_256_is_served_without_a_failure);
/// The pool is far smaller than the crowd, so nobody may hold a connection while they wait for another.
async fn crowd_of_256_is_served_without_a_failure(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(20).await;
    let crowd = (0..256).map(|number| {
        let (server, anna) = (&server, &anna);
        async move {
            // A client of one's own is a connection of one's own.
            let visitor = server.visitor(&format!("visitor {number}")).await;
            let path = format!("/v1/threads/{}/events", visitor.thread_id);
            for text in ["one", "two"] {
                visitor.client.post(&path, &json!({ "content": text })).await.expect(201);
                let events = visitor.client.get(&path).await.expect(200).body;
                assert_eq!(events["data"].as_array().unwrap().iter().filter(|e| e["content"] == text).count(), 1);
                visitor.conversation().await;
            }
            anna.client.get("/v1/conversations?limit=5").await.expect(200);
            visitor.close(&visitor.client).await;
            visitor.conversation_id
        }
    });
    let chats: HashSet<_> = futures::future::join_all(crowd).await.into_iter().collect();
    assert_eq!(chats.len(), 256);
    server.client().get("/readyz").await.expect(200);
    assert_eq!(active_chats(&server, &anna).await, 0);
}

each_database!(what_is_in_the_log_never_changes);
/// Whatever happens, what happened before stays as it was written; nothing records its readers.
async fn what_is_in_the_log_never_changes(database: TestDatabase) {
    const SQL: &str = "SELECT position, event_id, payload, metadata, actor, recorded_us FROM events ORDER BY position";
    let server = Server::start(&database).await;
    let anna = server.agent(3).await;
    let visitor = server.visitor("Hello").await;
    wait_for_agent(&visitor, &anna.id).await;
    let thread = format!("/v1/threads/{}/events", visitor.thread_id);
    anna.client.post(&thread, &json!({ "content": "Hello, I am Anna." })).await.expect(201);
    let history = History::open(&database).await;
    let rows = async || {
        let rows = history.database.fetch_all(SQL, vec![]).await.unwrap();
        let row = |row: &infrastructure::database::Row| {
            let texts = ["event_id", "payload", "metadata", "actor"].map(|column| row.text(column).unwrap());
            (row.int("position").unwrap(), texts, row.int("recorded_us").unwrap())
        };
        rows.iter().map(row).collect::<Vec<_>>()
    };
    let before = rows().await;
    let read = anna.client.get(&thread).await.expect(200).body;
    let message = read["data"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
    for (path, body) in [
        (format!("{thread}/{message}/read"), json!({})),
        (format!("/v1/events/{message}"), json!({ "readAt": "2026-01-01T00:00:00Z" })),
    ] {
        for client in [&server.client(), &visitor.client, &anna.client] {
            assert_eq!(client.post(&path, &body).await.status, 404);
            assert_eq!(client.patch(&path, &body).await.status, 404);
        }
    }
    visitor.close(&anna.client).await;
    visitor.client.post(&visitor.chat("/reopen"), &json!({})).await.expect(200);
    let admin = server.admin().await.client;
    let anna_path = format!("/v1/agents/{}", anna.id);
    admin.patch(&anna_path, &json!({ "name": "Anna B." })).await.expect(200);
    admin.delete(&anna_path).await.expect(200);
    let after = rows().await;
    assert!(after.len() > before.len() + 5);
    assert_eq!(after[..before.len()], before);
    let database = &history.database;
    infrastructure::event_log::verify_chain(database, |_| {}).await.expect("the chain verifies");
}

each_database!(team_is_set_up_and_serves_a_chat_as_one_story);
async fn team_is_set_up_and_serves_a_chat_as_one_story(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let anna = server.agent(3).await;
    let ben = server.agent(3).await;
    let group = admin.post("/v1/groups", &json!({ "name": "Sales", "routingStrategy": "round_robin" })).await;
    let group = group.expect(201).body;
    let members = json!({ "agentIds": [anna.id, ben.id] });
    let path = format!("/v1/groups/{}", id(&group));
    let group = admin.post(&format!("{path}/agents"), &members).await.expect(200).body;
    assert_eq!(group["agentIds"], json!([anna.id, ben.id]));
    let tag = admin.post("/v1/tags", &json!({ "name": "VIP", "color": "#ff8800" })).await.expect(201).body;

    let session = json!({ "initialMessage": "Hello", "name": "Vera", "groupId": group["id"] });
    let reply = server.client().post("/v1/widget/session", &session).await.expect(201);
    let visitor = server.client().with_token(reply.text("/sessionToken"));
    let chat = format!("/v1/conversations/{}", reply.text("/conversationId"));
    let agent_id = active(&visitor, &chat).await["assignedAgentId"].clone();
    let (first, second) = if agent_id == json!(anna.id) { (&anna, &ben) } else { (&ben, &anna) };
    let thread = format!("/v1/threads/{}/events", reply.text("/threadId"));
    first.client.post(&thread, &json!({ "content": "Hello Vera" })).await.expect(201);
    visitor.post(&thread, &json!({ "content": "I have a question" })).await.expect(201);
    first.client.post(&format!("{chat}/tags"), &json!({ "tagId": tag["id"] })).await.expect(200);

    let handed = json!({ "agentId": second.id, "reason": "knows more" });
    let chat_view = first.client.post(&format!("{chat}/transfer"), &handed).await.expect(200).body;
    assert_eq!(chat_view["assignedAgentId"], json!(second.id));
    first.client.post(&thread, &json!({ "content": "Still there?" })).await.expect(403);
    let closed = second.client.post(&format!("{chat}/close"), &json!({ "reason": "answered" })).await.expect(200);
    assert_eq!(closed.body["tagIds"], json!([tag["id"]]));

    for thing in [format!("/v1/tags/{}", id(&tag)), path, format!("/v1/agents/{}", first.id)] {
        admin.delete(&thing).await.expect(200);
        admin.get(&thing).await.expect(404);
        admin.post(&format!("{thing}/restore"), &json!({})).await.expect(200);
        admin.get(&thing).await.expect(200);
    }
    let kinds = system_events(&visitor, &thread).await;
    let expected = ["thread_started", "agent_joined", "agent_left", "agent_joined", "thread_closed"];
    assert_eq!(kinds, expected);
}

async fn system_events(visitor: &Client, thread: &str) -> Vec<String> {
    let events = visitor.get(thread).await.expect(200).body["data"].clone();
    let kinds = events.as_array().unwrap().iter().filter_map(|event| event["systemType"].as_str());
    kinds.map(str::to_owned).collect()
}

each_database!(visitor_and_agent_talk_close_and_reopen);
async fn visitor_and_agent_talk_close_and_reopen(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(2).await;
    let visitor = server.visitor("Hello, is anybody there?").await;
    let chat = wait_for_agent(&visitor, &anna.id).await;
    assert_eq!(chat["status"], "active");
    assert_eq!(chat["activeThreadId"], json!(visitor.thread_id));

    let path = format!("/v1/threads/{}/events", visitor.thread_id);
    let answer = anna.client.post(&path, &json!({ "content": "Hello, I am Anna." })).await.expect(201);
    assert_eq!(answer.body["authorType"], "agent");
    assert_eq!(answer.body["authorId"], json!(anna.id));
    visitor.client.post(&path, &json!({ "content": "Where is my parcel?" })).await.expect(201);

    let events = visitor.client.get(&path).await.expect(200).body;
    assert_eq!(said(&events), ["Hello, is anybody there?", "Hello, I am Anna.", "Where is my parcel?"]);
    let kinds: Vec<_> = events["data"].as_array().unwrap().iter().filter_map(|e| e["systemType"].as_str()).collect();
    assert_eq!(kinds, ["thread_started", "agent_joined"]);
    let positions: Vec<_> = events["data"].as_array().unwrap().iter().map(|e| e["position"].as_i64()).collect();
    assert!(positions.is_sorted());

    let chat_path = format!("/v1/conversations/{}", visitor.conversation_id);
    let close = json!({ "reason": "answered", "notes": "The parcel is on its way." });
    let closed = anna.client.post(&format!("{chat_path}/close"), &close).await.expect(200).body;
    assert_eq!(closed["status"], "closed");
    assert_eq!(closed["assignedAgentId"], Value::Null);
    let refused = visitor.client.post(&path, &json!({ "content": "One more thing" })).await.expect(409);
    assert_eq!(refused.body["code"], "chat_closed");
    assert_eq!(server.admin().await.client.get(&format!("/v1/agents/{}", anna.id)).await.body["activeChats"], 0);

    let reopened = visitor.client.post(&format!("{chat_path}/reopen"), &json!({})).await.expect(200).body;
    assert_eq!(reopened["threadIds"].as_array().unwrap().len(), 2);
    assert_ne!(reopened["activeThreadId"], json!(visitor.thread_id));
    wait_for_agent(&visitor, &anna.id).await;
    let path = format!("{chat_path}/events");
    visitor.client.post(&path, &json!({ "content": "One more thing" })).await.expect(201);
    server.stop().await;
}

each_database!(repeated_requests_change_nothing_and_get_the_first_answer);
async fn repeated_requests_change_nothing_and_get_the_first_answer(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(5).await;
    let key = "0192e0c4-7b3e-7a51-8f5e-5f4b3c2d1e0f";
    let anonymous = server.client().with_header("Idempotency-Key", key);
    let body = json!({ "initialMessage": "Hello", "name": "Vera" });
    let first = anonymous.post("/v1/widget/session", &body).await.expect(201);
    let second = anonymous.post("/v1/widget/session", &body).await.expect(201);
    assert_eq!(first.body["sessionToken"], second.body["sessionToken"]);
    assert_eq!(first.body["conversationId"], second.body["conversationId"]);
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(first.position(), second.position());
    let other = json!({ "initialMessage": "Something else" });
    let reused = anonymous.post("/v1/widget/session", &other).await.expect(422);
    assert_eq!(reused.body["code"], "idempotency_key_reused");

    let visitor = server.client().with_token(first.text("/sessionToken"));
    let path = format!("/v1/threads/{}/events", first.text("/threadId"));
    let message = json!({ "content": "Once", "clientEventId": "m-1" });
    let sent = visitor.post(&path, &message).await.expect(201);
    let again = visitor.post(&path, &message).await.expect(201);
    assert_eq!(sent.body, again.body);
    let changed = json!({ "content": "Twice", "clientEventId": "m-1" });
    visitor.post(&path, &changed).await.expect(422);
    let events = visitor.get(&path).await.body;
    assert_eq!(said(&events), ["Hello", "Once"]);

    let chat = format!("/v1/conversations/{}", first.text("/conversationId"));
    eventually(DEADLINE, "the chat is assigned", async || {
        let body = visitor.get(&chat).await.body;
        if body["status"] == "active" { Ok(()) } else { Err(body) }
    })
    .await;
    let keyed = anna.client.with_header("Idempotency-Key", "close-1");
    let close = json!({ "reason": "done" });
    let closed = keyed.post(&format!("{chat}/close"), &close).await.expect(200);
    visitor.post(&format!("{chat}/reopen"), &json!({})).await.expect(200);
    let replayed = keyed.post(&format!("{chat}/close"), &close).await.expect(200);
    assert_eq!(closed.body, replayed.body);
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    assert_ne!(visitor.get(&chat).await.body["status"], "closed");
}

each_database!(reads_directly_after_writes_are_never_stale);
async fn reads_directly_after_writes_are_never_stale(database: TestDatabase) {
    let server = Server::start(&database).await;
    let writers = (0..8).map(|n| {
        let server = &server;
        async move {
            let visitor = server.visitor("start").await;
            let path = format!("/v1/threads/{}/events", visitor.thread_id);
            let mut stale = 0;
            for i in 0..125 {
                let text = format!("{n}-{i}");
                let sent = visitor.client.post(&path, &json!({ "content": text })).await.expect(201);
                for read in 0..5 {
                    let after = format!("{path}?after={}", sent.position() - 1);
                    let page = visitor.client.get(&after).await.expect(200).body;
                    stale += usize::from(said(&page).first() != Some(&text));
                    if read == 0 {
                        let chat = visitor.conversation().await;
                        stale += usize::from(chat["lastMessageAt"] != sent.body["createdAt"]);
                    }
                }
                for _ in 0..4 {
                    let chat = visitor.conversation().await;
                    stale += usize::from(chat["lastMessageAt"] != sent.body["createdAt"]);
                }
            }
            stale
        }
    });
    // 8 writers, 125 writes each, 10 reads after each write.
    let stale: usize = futures::future::join_all(writers).await.into_iter().sum();
    assert_eq!(stale, 0, "of 10,000 reads");
}
