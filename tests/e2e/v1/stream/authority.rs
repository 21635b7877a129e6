//! The right to read on an open stream.

use std::time::{Duration, Instant};

use harness::{Closed, Person, Server, Stream, TestClock, TestDatabase, each_database};
use serde_json::json;

use super::{beginning, messages, nodes, served, token};
use crate::support::leave_default_group;

/// The stream ends with this code and reason, within a second on a quiet machine.
async fn assert_ends(stream: &mut Stream, code: u16, reason: &str) {
    let since = Instant::now();
    let Closed { code: found, error } = stream.closed().await;
    let error = error.unwrap_or_else(|| panic!("{found} without a reason"));
    assert_eq!((found, &error["code"]), (code, &json!(reason)));
    assert!(since.elapsed() < Duration::from_secs(3), "{reason}: {:?}", since.elapsed());
}

async fn watch(server: &Server, person: &Person) -> Stream {
    Stream::join(server.base(), token(&person.client), None).await.0
}

each_database!(log_out_and_password_end_the_streams_of_their_sessions_on_every_node);
async fn log_out_and_password_end_the_streams_of_their_sessions_on_every_node(database: TestDatabase) {
    let nodes = nodes(&database).await;
    let (one, other) = (&nodes[0], nodes.last().unwrap());
    let anna = one.agent(1).await;
    let email = one.admin().await.client.get(&format!("/v1/agents/{}", anna.id)).await.text("/email").to_owned();
    let (second, third) = (one.client().log_in(&email).await, one.client().log_in(&email).await);
    let mut streams = [watch(other, &anna).await, watch(other, &second).await, watch(other, &third).await];
    anna.client.post("/v1/auth/logout", &json!({})).await.expect(204);
    assert_ends(&mut streams[0], 4403, "revoked").await;
    let change = json!({ "currentPassword": harness::PASSWORD, "newPassword": "another good password" });
    third.client.post("/v1/auth/password", &change).await.expect(204);
    assert_ends(&mut streams[1], 4403, "revoked").await;
    streams[2].send(&json!({ "frame": "ping", "id": 7 })).await;
    let frames = streams[2].until("the answer", |frame| frame["frame"] == "pong").await;
    assert_eq!(frames.last().unwrap()["id"], 7);
}

each_database!(role_groups_deletion_and_erasure_end_the_streams_of_those_concerned);
async fn role_groups_deletion_and_erasure_end_the_streams_of_those_concerned(database: TestDatabase) {
    let nodes = nodes(&database).await;
    let (one, other) = (&nodes[0], nodes.last().unwrap());
    let admin = one.admin().await.client;
    let (anna, ben, carl) = (one.agent(1).await, one.agent(1).await, one.agent(1).await);
    let visitor = one.visitor("Hello").await;
    let mut streams = [watch(other, &anna).await, watch(other, &ben).await, watch(other, &carl).await];
    let (mut theirs, _) = Stream::join(other.base(), token(&visitor.client), None).await;
    admin.patch(&format!("/v1/agents/{}", anna.id), &json!({ "role": "supervisor" })).await.expect(200);
    assert_ends(&mut streams[0], 4409, "rights_changed").await;
    leave_default_group(one, &ben).await;
    assert_ends(&mut streams[1], 4409, "rights_changed").await;
    admin.delete(&format!("/v1/agents/{}", carl.id)).await.expect(200);
    assert_ends(&mut streams[2], 4403, "revoked").await;
    admin.delete(&format!("/v1/visitors/{}/personal-data", visitor.id)).await.expect(200);
    assert_ends(&mut theirs, 4403, "revoked").await;
    let refused = Stream::try_join(other.base(), token(&visitor.client), None).await;
    assert_eq!(refused.err().map(|closed| closed.code), Some(4403));
}

each_database!(erased_words_are_in_no_stream);
async fn erased_words_are_in_no_stream(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (_, visitor) = served(&server).await;
    let path = messages(&visitor);
    let start = beginning(&server).await;
    let admin = server.admin().await.client;
    let (mut live, frames) = Stream::join(server.base(), token(&admin), Some(&start)).await;
    visitor.client.post(&path, &json!({ "content": "a secret" })).await.expect(201);
    let before = live.cursor();
    live.event("the words", |frame| frame["data"]["content"] == "a secret").await;
    assert!(frames.iter().any(|frame| frame["data"]["content"] == "Hello"));
    admin.delete(&format!("/v1/visitors/{}/personal-data", visitor.id)).await.expect(200);
    let frame = live.event("the erasure", |frame| frame["type"] == "erased").await;
    assert_eq!(frame["data"], json!({ "visitorId": visitor.id }));
    for after in [start, before] {
        let (_, frames) = Stream::join(server.base(), token(&admin), Some(&after)).await;
        let said: Vec<_> = frames.iter().filter_map(|frame| frame["data"]["content"].as_str()).collect();
        assert!(said.contains(&"[erased]"), "{said:?}");
        assert!(!said.contains(&"a secret") && !said.contains(&"Hello"), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_expires_with_a_warning_and_is_renewed_without_a_gap() {
    let (database, clock) = (harness::TestDatabase::sqlite(), TestClock::new());
    let server = Server::start_at(&database, clock.clone()).await;
    let visitor = server.visitor("Hello").await;
    let session = json!({ "sessionToken": token(&visitor.client), "initialMessage": "again" });
    let (mut kept, _) = Stream::join(server.base(), token(&visitor.client), None).await;
    let (mut lost, _) = Stream::join(server.base(), token(&visitor.client), None).await;
    clock.advance(Duration::from_secs(30 * 86_400 - 45));
    for stream in [&mut kept, &mut lost] {
        let frames = stream.until("the warning", |frame| frame["frame"] == "expiring").await;
        let left = frames.last().unwrap()["inSeconds"].as_u64().unwrap();
        assert!((20..=45).contains(&left), "{left}");
    }
    let renewed = server.client().post("/v1/widget/session", &session).await.expect(201);
    let stranger = server.visitor("Somebody else").await;
    kept.send(&json!({ "frame": "token", "token": renewed.text("/sessionToken") })).await;
    kept.until("the renewal", |frame| frame["frame"] == "renewed").await;
    clock.advance(Duration::from_secs(60));
    assert_ends(&mut lost, 4401, "token_expired").await;
    let refused = Stream::try_join(server.base(), token(&visitor.client), None).await;
    assert_eq!(refused.err().map(|closed| closed.code), Some(4401));
    kept.send(&json!({ "frame": "token", "token": token(&stranger.client) })).await;
    assert_ends(&mut kept, 4403, "other_subject").await;
}
