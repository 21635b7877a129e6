//! Nobody gets anything from the stream that REST would not give.

use std::collections::BTreeSet;

use harness::{Client, Server, Stream, TestDatabase, Visitor, each_database};
use serde_json::{Value, json};

use super::{beginning, chat, messages, token};
use crate::support::leave_default_group;

/// Everybody who reads, with a name.
struct Callers(Vec<(&'static str, Client)>);

/// Chats of all kinds: waiting and served, of both groups, closed, and transferred away.
async fn open(server: &Server) -> (Callers, Vec<Visitor>) {
    let admin = server.admin().await;
    admin.client.put(&format!("/v1/agents/{}/status", admin.id), &json!({ "status": "away" })).await.expect(200);
    let mut agents = vec![];
    for role in ["agent", "agent", "agent", "supervisor"] {
        agents.push(server.person(role, "away", 20).await);
    }
    leave_default_group(server, &agents[0]).await;
    let sales = admin.client.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201);
    let sales = sales.text("/id").to_owned();
    let members = json!({ "agentIds": [agents[1].id] });
    admin.client.post(&format!("/v1/groups/{sales}/agents"), &members).await.expect(200);
    let mut chats = vec![];
    for _ in 0..5 {
        chats.push(server.visitor("Hello").await);
    }
    let post = async |chat: &Visitor, end: &str, body: Value| {
        admin.client.post(&format!("{}/{end}", super::chat(chat)), &body).await.expect(200);
    };
    post(&chats[1], "assign", json!({ "agentId": agents[0].id })).await;
    post(&chats[2], "transfer", json!({ "groupId": sales })).await;
    post(&chats[3], "assign", json!({ "agentId": agents[2].id })).await;
    post(&chats[3], "close", json!({ "reason": "done" })).await;
    post(&chats[4], "assign", json!({ "agentId": agents[0].id })).await;
    post(&chats[4], "transfer", json!({ "groupId": sales })).await;
    let named = ["outsider", "of both groups", "colleague", "supervisor"].into_iter().zip(agents);
    let mut callers: Vec<_> = named.map(|(name, agent)| (name, agent.client)).collect();
    callers.push(("admin", admin.client));
    callers.extend(chats.iter().map(|chat| ("visitor", chat.client.clone())));
    callers.push(("stranger", server.visitor("Elsewhere").await.client));
    (Callers(callers), chats)
}

/// The ids among frames for which REST and the stream must agree.
fn ids(frames: &[Value], of: impl Fn(&Value) -> Option<&str>) -> BTreeSet<String> {
    frames.iter().filter_map(|frame| of(frame).map(str::to_owned)).collect()
}

fn conversation_of(frame: &Value) -> Option<&str> {
    match frame["type"].as_str() {
        Some("thread_event") => frame["conversationId"].as_str(),
        Some("conversation") => frame["data"]["id"].as_str(),
        _ => None,
    }
}

fn thread_of(frame: &Value) -> Option<&str> {
    frame["data"]["threadId"].as_str()
}

each_database!(stream_shows_each_caller_just_what_rest_does);
async fn stream_shows_each_caller_just_what_rest_does(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (Callers(callers), chats) = open(&server).await;
    let start = beginning(&server).await;
    for (name, client) in &callers {
        // A caller whose groups have changed begins again: from then on, the rights are the same all the way.
        let frames = from_the_start(&server, client, &start).await;
        let (shown, threads) = (ids(&frames, conversation_of), ids(&frames, thread_of));
        for chat in &chats {
            let may_read = client.get(&super::chat(chat)).await.status == 200;
            assert_eq!(shown.contains(&chat.conversation_id), may_read, "{name}");
            let may_list = client.get(&messages(chat)).await.status == 200;
            assert_eq!(threads.contains(&chat.thread_id), may_list, "{name}");
        }
        let is_agent = client.get("/v1/agents").await.status == 200;
        let staff = frames.iter().any(|frame| ["agent", "group", "tag"].iter().any(|kind| frame["type"] == *kind));
        assert_eq!(staff, is_agent, "{name}");
        let tags = frames.iter().filter(|frame| frame["type"] == "conversation");
        assert!(tags.into_iter().all(|frame| frame["data"].get("tags").is_some() == is_agent), "{name}");
    }
}

each_database!(live_and_replayed_streams_are_the_same);
async fn live_and_replayed_streams_are_the_same(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let (anna, ben) = (server.person("agent", "away", 5).await, server.person("agent", "away", 5).await);
    leave_default_group(&server, &ben).await;
    let (mut live, _) = Stream::join(server.base(), token(&ben.client), None).await;
    let start = live.cursor();
    let visitor = server.visitor("Hello").await;
    let assign = async |agent: &harness::Person| {
        admin.post(&format!("{}/assign", chat(&visitor)), &json!({ "agentId": agent.id })).await.expect(200)
    };
    assign(&ben).await;
    ben.client.post(&messages(&visitor), &json!({ "content": "mine" })).await.expect(201);
    assign(&anna).await;
    anna.client.post(&messages(&visitor), &json!({ "content": "not for ben" })).await.expect(201);
    admin.post("/v1/tags", &json!({ "name": "last" })).await.expect(201);
    let frames = live.until("the tag", |frame| frame["type"] == "tag").await;
    let seen = |frames: &[Value]| {
        let shown = frames.iter().filter(|frame| frame["data"]["content"] == "mine").count();
        let gone = frames
            .iter()
            .filter(|frame| frame["data"]["id"] == json!(visitor.conversation_id) && frame["type"] == "removed")
            .count();
        assert!(frames.iter().all(|frame| frame["data"]["content"] != "not for ben"));
        (shown, gone)
    };
    // Live, ben has seen it; later, ben may not see it any more, but learns that it is gone.
    assert_eq!(seen(&frames), (1, 1), "{frames:?}");
    let (_, replayed) = Stream::join(server.base(), token(&ben.client), Some(&start)).await;
    assert_eq!(seen(&replayed), (0, 1), "{replayed:?}");
    assert_eq!(ben.client.get(&chat(&visitor)).await.status, 404);
}

/// The frames of a caller from the last change of the caller's rights on.
async fn from_the_start(server: &Server, client: &Client, start: &str) -> Vec<Value> {
    let mut after = start.to_owned();
    loop {
        let mut stream = Stream::try_join(server.base(), token(client), Some(&after)).await.unwrap();
        let mut frames = vec![];
        let ended = loop {
            match stream.next().await {
                Ok(frame) if frame["frame"] == "live" => break false,
                Ok(frame) => frames.push(frame),
                Err(closed) => {
                    assert_eq!((closed.code, &closed.error.unwrap()["code"]), (4409, &json!("rights_changed")));
                    break true;
                }
            }
        };
        if !ended {
            return frames;
        }
        // Clients load everything again; this one only goes on behind the change.
        after = next_position(server, &stream.epoch, stream.position).await;
    }
}

async fn next_position(server: &Server, epoch: &str, position: i64) -> String {
    let _ = server;
    format!("{epoch}:{}", position + 1)
}
