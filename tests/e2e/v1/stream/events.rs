//! What the stream shows, and in which order.

use harness::{Server, Stream, TestDatabase, each_database};
use serde_json::json;

use super::{beginning, chat, listed, messages, of_thread, served, token};

each_database!(both_sides_see_what_is_said_as_rest_shows_it);
async fn both_sides_see_what_is_said_as_rest_shows_it(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (agent, visitor) = served(&server).await;
    let (mut theirs, _) = Stream::join(server.base(), token(&visitor.client), None).await;
    let (mut ours, _) = Stream::join(server.base(), token(&agent.client), None).await;
    let path = messages(&visitor);
    for number in 0..5 {
        let by = if number % 2 == 0 { &agent.client } else { &visitor.client };
        let said = by.post(&path, &json!({ "content": format!("message {number}") })).await.expect(201).body;
        for stream in [&mut theirs, &mut ours] {
            let frame = stream.event("the message", |frame| frame["data"]["id"] == said["id"]).await;
            let shown = listed(by, &path).await;
            let event = shown.iter().find(|event| event["id"] == said["id"]).unwrap();
            assert_eq!((&frame["data"], &frame["type"]), (event, &json!("thread_event")));
            assert_eq!(
                (&frame["conversationId"], &frame["position"]),
                (&json!(visitor.conversation_id), &event["position"])
            );
        }
    }
}

each_database!(stream_from_the_beginning_has_every_event_of_a_thread_once);
async fn stream_from_the_beginning_has_every_event_of_a_thread_once(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (agent, visitor) = served(&server).await;
    for number in 0..30 {
        agent.client.post(&messages(&visitor), &json!({ "content": number.to_string() })).await.expect(201);
    }
    let start = beginning(&server).await;
    let all = listed(&visitor.client, &messages(&visitor)).await;
    for client in [&visitor.client, &server.admin().await.client] {
        let (_, frames) = Stream::join(server.base(), token(client), Some(&start)).await;
        assert_eq!(of_thread(&frames, &visitor.thread_id), all);
        // From each of them on, there is the rest.
        for (index, event) in all.iter().enumerate().step_by(7) {
            let after = start.replace(":0", &format!(":{}", event["position"]));
            let (_, frames) = Stream::join(server.base(), token(client), Some(&after)).await;
            assert_eq!(of_thread(&frames, &visitor.thread_id), all[index + 1..]);
        }
    }
}

each_database!(states_are_those_of_rest);
async fn states_are_those_of_rest(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (agent, visitor) = served(&server).await;
    let admin = server.admin().await.client;
    let (mut theirs, _) = Stream::join(server.base(), token(&visitor.client), None).await;
    let (mut ours, _) = Stream::join(server.base(), token(&admin), None).await;
    let tag = admin.post("/v1/tags", &json!({ "name": "Urgent" })).await.expect(201).body;
    let frame = ours.event("the tag", |frame| frame["type"] == "tag").await;
    assert_eq!(frame["data"], tag);
    admin.post(&format!("{}/tags", chat(&visitor)), &json!({ "tagId": tag["id"] })).await.expect(200);
    for (stream, client) in [(&mut ours, &admin), (&mut theirs, &visitor.client)] {
        let shown = client.get(&chat(&visitor)).await.expect(200).body;
        let is_it = |frame: &serde_json::Value| frame["data"]["version"] == shown["version"];
        let frame = stream.event("the tagged chat", |frame| frame["type"] == "conversation" && is_it(frame)).await;
        assert_eq!(frame["data"], shown);
    }
    let path = format!("/v1/agents/{}", agent.id);
    admin.patch(&path, &json!({ "name": "Anna the second" })).await.expect(200);
    let shown = admin.get(&path).await.expect(200).body;
    let frame = ours.event("the agent", |frame| frame["type"] == "agent").await;
    assert_eq!(frame["data"], shown);
    let named = |frame: &serde_json::Value| frame["data"]["assignedAgent"]["name"] == "Anna the second";
    theirs.event("the new name", named).await;
    admin.delete(&format!("/v1/tags/{}", tag["id"].as_str().unwrap())).await.expect(200);
    let frame = ours.event("the tag's end", |frame| frame["type"] == "removed").await;
    assert_eq!(frame["data"], json!({ "kind": "tag", "id": tag["id"] }));
}

each_database!(snapshot_and_stream_leave_nothing_out);
async fn snapshot_and_stream_leave_nothing_out(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (agent, visitor) = served(&server).await;
    let writing = {
        let (client, path) = (agent.client.clone(), messages(&visitor));
        tokio::spawn(async move {
            for number in 0..40 {
                client.post(&path, &json!({ "content": number.to_string() })).await.expect(201);
            }
        })
    };
    let mut seen = vec![];
    while !writing.is_finished() {
        let reply = visitor.client.get(&format!("{}?limit=100", messages(&visitor))).await.expect(200);
        let cursor = format!("{}:{}", reply.header("event-epoch").unwrap(), reply.header("event-position").unwrap());
        seen.push((cursor, reply.body["data"].as_array().unwrap().clone()));
    }
    writing.await.unwrap();
    let all = listed(&visitor.client, &messages(&visitor)).await;
    for (cursor, mut snapshot) in seen {
        let (_, frames) = Stream::join(server.base(), token(&visitor.client), Some(&cursor)).await;
        let streamed = of_thread(&frames, &visitor.thread_id);
        // The snapshot may show more than its position.
        let known = &all[..snapshot.len()];
        snapshot.extend(streamed.into_iter().filter(|event| !known.contains(event)));
        assert_eq!(snapshot, all, "from {cursor}");
    }
}

each_database!(every_answer_names_the_history_and_reads_their_position);
async fn every_answer_names_the_history_and_reads_their_position(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (_, visitor) = served(&server).await;
    let epoch = server.app().log.head().await.unwrap().epoch.to_string();
    let admin = server.admin().await.client;
    let sent = visitor.client.post(&messages(&visitor), &json!({ "content": "x" })).await.expect(201);
    assert_eq!(sent.header("event-epoch"), Some(epoch.as_str()));
    for path in ["/v1/agents", "/v1/conversations", "/v1/queue", "/v1/tags", "/v1/groups", "/v1/audit"] {
        let reply = admin.with_header("If-Position-At-Least", &sent.position().to_string()).get(path).await;
        let reply = if path == "/v1/audit" { admin.get(path).await } else { reply }.expect(200);
        assert_eq!(reply.header("event-epoch"), Some(epoch.as_str()), "{path}");
        let head = server.app().log.head().await.unwrap().position;
        let least = if path == "/v1/audit" { 0 } else { sent.position() };
        assert!((least..=head).contains(&reply.position()), "{path}");
    }
    for (reply, status) in [
        (admin.get("/v1/nowhere").await, 404),
        (server.client().get("/v1/agents").await, 401),
        (admin.get("/v1/agents?limit=0").await, 400),
        (server.client().get("/livez").await, 200),
    ] {
        assert_eq!((reply.status, reply.header("event-epoch")), (status, Some(epoch.as_str())));
        assert_eq!(reply.header("event-position"), None);
    }
}
