//! A visitor's chat from its beginning to its end.

use harness::{DEADLINE, Server, eventually, on_each_database};
use serde_json::{Value, json};

on_each_database! {
    async fn visitor_and_agent_talk_close_and_reopen(database: TestDatabase) {
        let server = Server::start(&database).await;
        let anna = server.agent(2).await;
        let visitor = server.visitor("Hello, is anybody there?").await;
        let chat = assigned(&visitor, &anna.id).await;
        assert_eq!(chat["status"], "active");
        assert_eq!(chat["activeThreadId"], json!(visitor.thread_id));

        let path = format!("/v1/threads/{}/events", visitor.thread_id);
        let answer = anna.client.post(&path, &json!({ "content": "Hello, I am Anna." })).await.expect(201);
        assert_eq!(answer.body["authorType"], "agent");
        assert_eq!(answer.body["authorId"], json!(anna.id));
        visitor.client.post(&path, &json!({ "content": "Where is my parcel?" })).await.expect(201);

        let events = visitor.client.get(&path).await.expect(200).body;
        assert_eq!(messages(&events), ["Hello, is anybody there?", "Hello, I am Anna.", "Where is my parcel?"]);
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
        assigned(&visitor, &anna.id).await;
        let path = format!("{chat_path}/events");
        visitor.client.post(&path, &json!({ "content": "One more thing" })).await.expect(201);
        server.stop().await;
    }

    async fn returning_visitor_gets_the_open_chat_and_loses_no_word(database: TestDatabase) {
        let server = Server::start(&database).await;
        let visitor = server.visitor("First").await;
        let token = visitor.client.token().unwrap();
        let again = json!({ "initialMessage": "Second", "sessionToken": token, "name": "Vera" });
        let session = server.client().post("/v1/widget/session", &again).await.expect(201).body;
        assert_eq!(session["conversationId"], json!(visitor.conversation_id));
        assert_eq!(session["visitorId"], json!(visitor.id));
        let events = visitor.client.get(&format!("/v1/threads/{}/events", visitor.thread_id)).await.body;
        assert_eq!(messages(&events), ["First", "Second"]);
    }

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
        assert_eq!(messages(&events).len(), 16);
    }

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
        assert_eq!(messages(&events), ["Hello", "Once"]);

        let chat = format!("/v1/conversations/{}", first.text("/conversationId"));
        eventually(DEADLINE, "the chat is assigned", async || {
            let body = visitor.get(&chat).await.body;
            if body["status"] == "active" { Ok(()) } else { Err(body) }
        }).await;
        let keyed = anna.client.with_header("Idempotency-Key", "close-1");
        let close = json!({ "reason": "done" });
        let closed = keyed.post(&format!("{chat}/close"), &close).await.expect(200);
        visitor.post(&format!("{chat}/reopen"), &json!({})).await.expect(200);
        let replayed = keyed.post(&format!("{chat}/close"), &close).await.expect(200);
        assert_eq!(closed.body, replayed.body);
        assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
        assert_ne!(visitor.get(&chat).await.body["status"], "closed");
    }

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
                        stale += usize::from(messages(&page).first() != Some(&text));
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
}

async fn assigned(visitor: &harness::Visitor, agent_id: &str) -> Value {
    eventually(DEADLINE, "the chat is assigned", async || {
        let chat = visitor.conversation().await;
        if chat["assignedAgentId"] == json!(agent_id) { Ok(chat) } else { Err(chat) }
    })
    .await
}

fn messages(page: &Value) -> Vec<String> {
    let events = page["data"].as_array().unwrap().iter();
    events
        .filter(|event| event["type"] == "message")
        .map(|event| event["content"].as_str().unwrap().to_owned())
        .collect()
}
