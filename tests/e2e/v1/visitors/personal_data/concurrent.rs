//! What is written, read and proved while an erasure runs, and on other nodes.

use std::time::Duration;

use application::ports::Clock as _;
use harness::{Server, TestDatabase, each_database};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::event_log::verify_chain;
use infrastructure::system::SystemClock;
use serde_json::json;

use super::{assert_forgotten, customer, hello, ok, personal_data, run};

each_database!(message_that_races_with_the_erasure_is_erased_or_refused);
async fn message_that_races_with_the_erasure_is_erased_or_refused(database: TestDatabase) {
    let server = Server::start(&database).await;
    let agent = server.agent(3).await;
    let person = customer(&server, &agent).await;
    let thread = format!("/v1/threads/{}/events", person.threads[1]);
    let senders: Vec<_> = (0..6)
        .map(|sender| {
            let (client, thread) = (person.client.clone(), thread.clone());
            tokio::spawn(async move {
                for number in 0.. {
                    let body = json!({ "content": format!("xylophagous {sender} {number}") });
                    let status = client.post(&thread, &body).await.status;
                    assert!([201, 401, 409].contains(&status), "{status}");
                    if status != 201 {
                        return number;
                    }
                }
                0
            })
        })
        .collect();
    SystemClock.sleep(Duration::from_millis(300)).await;
    let admin = server.admin().await.client;
    let done = admin.delete(&personal_data(&person.id)).await.expect(200);
    let mut taken = 4;
    for sender in senders {
        taken += sender.await.unwrap();
    }
    assert_eq!(done.body["messages"], taken);
    assert_forgotten(&database).await;
    ok(run(&database, &["replay", "--verify"]));
}

each_database!(log_verifies_at_every_moment_of_erasures);
async fn log_verifies_at_every_moment_of_erasures(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let mut ids = vec![];
    for _ in 0..12 {
        let visitor = server.visitor("xylophagous").await;
        for _ in 0..5 {
            visitor
                .client
                .post(&format!("/v1/threads/{}/events", visitor.thread_id), &json!({ "content": "quux" }))
                .await
                .expect(201);
        }
        ids.push(visitor.id);
    }
    let erasing = tokio::spawn(async move {
        for id in ids {
            admin.delete(&personal_data(&id)).await.expect(200);
        }
    });
    let store = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    let mut rounds = 0;
    while !erasing.is_finished() {
        verify_chain(&store, |_| {}).await.unwrap();
        rounds += 1;
    }
    erasing.await.unwrap();
    assert!(rounds > 3, "{rounds}");
    assert_forgotten(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_nodes_with_warm_caches_bring_nothing_back() {
    let Some(database) = TestDatabase::mysql("two nodes").await else { return };
    let here = Server::start(&database).await;
    let there = Server::start(&database).await;
    let agent = here.agent(3).await;
    let person = customer(&here, &agent).await;
    let client = there.client().with_token(person.token.clone());
    let thread = format!("/v1/threads/{}/events", person.threads[1]);
    // The other node has the visitor, the chat and all events in memory by now.
    client.post(&thread, &json!({ "content": "xylophagous" })).await.expect(201);
    there.client().post("/v1/widget/session", &hello(Some(&person.token))).await.expect(201);
    here.admin().await.client.delete(&personal_data(&person.id)).await.expect(200);
    client.get(&thread).await.expect(401);
    client.post(&thread, &json!({ "content": "xylophagous" })).await.expect(401);
    there.client().post("/v1/widget/session", &hello(Some(&person.token))).await.expect(401);
    let admin = there.admin().await.client;
    for chat in &person.chats {
        admin.post(&format!("/v1/conversations/{chat}/reopen"), &json!({})).await.expect(409);
        let keyed = admin.with_header("Idempotency-Key", chat);
        let tag = admin.post("/v1/tags", &json!({ "name": chat })).await.expect(201);
        let tag = json!({ "tagId": tag.text("/id") });
        keyed.post(&format!("/v1/conversations/{chat}/tags"), &tag).await.expect(200);
    }
    assert_forgotten(&database).await;
    // Whoever projects now has seen the texts before.
    here.stop().await;
    there.visitor("Is anybody there?").await;
    ok(run(&database, &["replay", "--verify"]));
    assert_forgotten(&database).await;
}
