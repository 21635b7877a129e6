//! Lists in pages, while they grow.

use std::collections::HashSet;

use harness::desk::assert_field;
use harness::{Client, Server, TestDatabase, each_database};
use serde_json::{Value, json};

/// Walks all pages; after each, something is added.
async fn walk(client: &Client, list: &str, limit: usize, mut add: impl AsyncFnMut()) -> Vec<String> {
    let separator = if list.contains('?') { '&' } else { '?' };
    let mut ids: Vec<String> = vec![];
    let mut cursor = String::new();
    for _ in 0..100 {
        let path = format!("{list}{separator}limit={limit}{cursor}");
        let page = client.get(&path).await.expect(200).body;
        let members: Vec<_> = page.as_object().unwrap().keys().collect();
        assert_eq!(members, ["data", "nextCursor"]);
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= limit);
        ids.extend(data.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["nextCursor"].as_str() else {
            assert_eq!(page["nextCursor"], Value::Null);
            return ids;
        };
        assert_eq!(data.len(), limit, "only the last page is short");
        cursor = format!("&cursor={next}");
        if ids.len() < 3 * limit {
            add().await;
        }
    }
    panic!("the list does not end: {ids:?}");
}

#[track_caller]
fn assert_once(ids: &[String], expected: &[String]) {
    let distinct: HashSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "repeated: {ids:?}");
    let seen: Vec<_> = ids.iter().filter(|id| expected.contains(id)).collect();
    assert_eq!(seen, expected.iter().collect::<Vec<_>>(), "all, in their order");
}

each_database!(conversations_are_paged_without_gaps_while_chats_begin_and_change);
async fn conversations_are_paged_without_gaps_while_chats_begin_and_change(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let mut chats = vec![];
    for number in 0..10 {
        chats.push(server.visitor(&format!("chat {number}")).await);
    }
    let oldest: Vec<_> = chats.iter().map(|chat| chat.conversation_id.clone()).collect();
    let newest: Vec<_> = oldest.iter().rev().cloned().collect();
    let mut number = 0;
    for (list, expected) in [
        ("/v1/conversations", &newest),
        ("/v1/conversations?sort=newest", &newest),
        ("/v1/conversations?sort=oldest", &oldest),
    ] {
        let ids = walk(&admin, list, 3, async || {
            server.visitor("added").await;
            // What is changed must not move.
            let path = format!("/v1/conversations/{}/events", chats[number % 10].conversation_id);
            chats[number % 10].client.post(&path, &json!({ "content": "again" })).await.expect(201);
            number += 1;
        })
        .await;
        assert_once(&ids, expected);
    }
    for limit in [1, 9, 10, 11, 100] {
        let ids = walk(&admin, "/v1/conversations?sort=oldest", limit, async || {}).await;
        assert_once(&ids, &oldest);
    }
    let default = admin.get("/v1/conversations").await.expect(200).body;
    assert!(default["data"].as_array().unwrap().len() <= 25);
}

each_database!(agents_are_paged_without_gaps_while_others_join);
async fn agents_are_paged_without_gaps_while_others_join(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await;
    let mut expected = vec![admin.id.clone()];
    for _ in 0..6 {
        expected.push(server.agent(1).await.id);
    }
    let ids = walk(&admin.client, "/v1/agents", 2, async || {
        server.agent(1).await;
    })
    .await;
    assert_once(&ids, &expected);
    assert_once(&ids[..expected.len()], &expected);
    let online = walk(&admin.client, "/v1/agents?status=online&role=agent", 2, async || {}).await;
    assert_once(&online, &expected[1..]);
}

each_database!(events_of_a_thread_are_paged_without_gaps_while_it_grows);
async fn events_of_a_thread_are_paged_without_gaps_while_it_grows(database: TestDatabase) {
    let server = Server::start(&database).await;
    let vera = server.visitor("message 0").await;
    let path = format!("/v1/threads/{}/events", vera.thread_id);
    let say = async |number: usize| {
        let body = json!({ "content": format!("message {number}") });
        vera.client.post(&path, &body).await.expect(201).text("/id").to_owned()
    };
    let mut expected = vec![];
    for number in 1..10 {
        expected.push(say(number).await);
    }
    let mut number = 10;
    let ids = walk(&vera.client, &path, 3, async || {
        expected.push(say(number).await);
        number += 1;
    })
    .await;
    // The beginning of the chat and its first message come before.
    assert_eq!(ids[2..], expected);
    let all = vera.client.get(&format!("{path}?limit=100")).await.expect(200).body;
    let positions: Vec<_> = all["data"].as_array().unwrap().iter().map(|e| e["position"].as_i64().unwrap()).collect();
    assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
    for after in &positions {
        let rest = vera.client.get(&format!("{path}?after={after}&limit=100")).await.expect(200).body;
        let rest: Vec<_> = rest["data"].as_array().unwrap().iter().map(|e| e["position"].as_i64().unwrap()).collect();
        assert_eq!(rest, positions.iter().copied().filter(|position| position > after).collect::<Vec<_>>());
    }
}

each_database!(assignments_are_paged);
async fn assignments_are_paged(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let (anna, ben) = (server.person("agent", "away", 2).await, server.person("agent", "away", 2).await);
    let vera = server.visitor("Hello").await;
    let chat = format!("/v1/conversations/{}", vera.conversation_id);
    for agent in [&anna, &ben, &anna, &ben, &anna] {
        admin.post(&format!("{chat}/assign"), &json!({ "agentId": agent.id })).await.expect(200);
    }
    let all = admin.get(&format!("{chat}/assignments")).await.expect(200).body;
    assert_eq!((all["data"].as_array().unwrap().len(), &all["nextCursor"]), (5, &Value::Null));
    let mut paged = vec![];
    let mut cursor = String::new();
    loop {
        let page = admin.get(&format!("{chat}/assignments?limit=2{cursor}")).await.expect(200).body;
        paged.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(json!(paged), all["data"]);
}

each_database!(lists_and_histories_come_in_pages_whatever_is_asked_for);
async fn lists_and_histories_come_in_pages_whatever_is_asked_for(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let talker = server.visitor("Hello").await;
    let thread = format!("/v1/threads/{}/events", talker.thread_id);
    let eager = talker.client.with_header("prefer", "respond-async");
    for number in 0..30 {
        eager.post(&thread, &json!({ "content": format!("line {number}") })).await.expect(201);
        server.visitor("Hello").await;
    }
    for path in ["/v1/conversations", "/v1/queue", &thread] {
        let page = admin.get(path).await.expect(200).body;
        assert_eq!(page["data"].as_array().unwrap().len(), 25, "{path}");
        assert!(page["nextCursor"].is_string(), "{path}");
        for limit in ["0", "101", "1000000", "-1", "all"] {
            let reply = admin.get(&format!("{path}?limit={limit}")).await;
            assert_field(&reply, "limit", "must be a number from 1 to 100");
        }
    }
}
