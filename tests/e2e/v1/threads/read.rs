//! Marks of how far people have read.

use std::time::Instant;

use futures::future::join_all;
use harness::desk::{assert_problem, wait_for_agent};
use harness::{Client, Server, TestDatabase, Visitor, each_database};
use serde_json::{Value, json};

async fn says(client: &Client, chat: &Visitor, content: &str) -> i64 {
    let sent = client.post(&chat.chat("/events"), &json!({ "content": content })).await.expect(201);
    sent.body["position"].as_i64().unwrap()
}

async fn read(client: &Client, chat: &Visitor, up_to: i64) -> Value {
    let path = format!("/v1/threads/{}/read", chat.thread_id);
    client.post(&path, &json!({ "upTo": up_to })).await.expect(200).body
}

async fn seen(client: &Client, chat: &Visitor) -> (Value, Value) {
    let shown = client.get(&chat.chat("")).await.expect(200).body;
    (shown["unread"].clone(), shown["seenUpTo"].clone())
}

each_database!(unread_counts_what_the_other_side_has_said_since_the_mark);
async fn unread_counts_what_the_other_side_has_said_since_the_mark(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(5).await;
    let vera = server.visitor("Hello").await;
    wait_for_agent(&vera, &anna.id).await;
    assert_eq!(seen(&anna.client, &vera).await, (json!(1), json!([])));
    assert_eq!(seen(&vera.client, &vera).await, (json!(0), json!([])));
    let second = says(&vera.client, &vera, "Anybody?").await;
    let answer = says(&anna.client, &vera, "Yes").await;
    assert_eq!(seen(&anna.client, &vera).await.0, json!(2));
    assert_eq!(seen(&vera.client, &vera).await.0, json!(1));

    // Up to the answer: that is the last message that Anna has seen.
    assert_eq!(read(&anna.client, &vera, answer + 1_000).await, json!({ "threadId": vera.thread_id, "upTo": answer }));
    let of_anna = json!({ "type": "agent", "id": anna.id, "position": answer });
    assert_eq!(seen(&anna.client, &vera).await, (json!(0), json!([of_anna])));
    assert_eq!(seen(&vera.client, &vera).await, (json!(1), json!([of_anna])), "the visitor sees that it was read");
    assert_eq!(read(&anna.client, &vera, second).await["upTo"], json!(answer), "never back");
    assert_eq!(read(&vera.client, &vera, second).await["upTo"], json!(second));
    let of_vera = json!({ "type": "visitor", "id": vera.id, "position": second });
    assert_eq!(seen(&vera.client, &vera).await, (json!(1), json!([of_anna, of_vera])));

    says(&vera.client, &vera, "Good").await;
    let page = anna.client.get("/v1/conversations").await.expect(200).body;
    assert_eq!(page["data"][0]["unread"], json!(1));
    assert_eq!(page["data"][0]["seenUpTo"], json!([of_anna, of_vera]));
    let admin = server.admin().await.client;
    let export = admin.get(&format!("/v1/visitors/{}/personal-data", vera.id)).await.expect(200).body;
    let marks = &export["conversations"][0]["reads"];
    assert_eq!((marks.as_array().unwrap().len(), &marks[0]["upTo"]), (1, &json!(second)), "the visitor's own");
    // The end does not keep anybody from reading.
    vera.close(&anna.client).await;
    read(&anna.client, &vera, i64::MAX).await;
    assert_eq!(seen(&anna.client, &vera).await.0, json!(0));
}

each_database!(mark_of_a_colleague_counts_for_the_whole_side);
async fn mark_of_a_colleague_counts_for_the_whole_side(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, sue) = (server.agent(5).await, server.person("supervisor", "away", 5).await);
    let vera = server.visitor("Hello").await;
    wait_for_agent(&vera, &anna.id).await;
    let second = says(&vera.client, &vera, "Anybody?").await;
    read(&anna.client, &vera, second).await;
    assert_eq!(seen(&sue.client, &vera).await.0, json!(0));
    let path = format!("/v1/threads/{}/read", vera.thread_id);
    assert_problem(&sue.client.post(&path, &json!({ "upTo": second })).await, 403, "forbidden");
    // The next agent begins with what nobody has seen, and an earlier mark takes nothing back.
    says(&vera.client, &vera, "Still there?").await;
    sue.client.post(&vera.chat("/assign"), &json!({ "agentId": sue.id })).await.expect(200);
    assert_eq!(seen(&sue.client, &vera).await.0, json!(1));
    read(&sue.client, &vera, second - 1).await;
    assert_eq!(seen(&sue.client, &vera).await.0, json!(1));
}

each_database!(marks_that_come_together_become_few_events);
async fn marks_that_come_together_become_few_events(database: TestDatabase) {
    let server = Server::start(&database).await;
    let vera = server.visitor("Hello").await;
    let mut positions = vec![];
    for number in 0..10 {
        positions.push(says(&vera.client, &vera, &number.to_string()).await);
    }
    let begun = Instant::now();
    let last = positions[9];
    let answers = join_all(positions.into_iter().map(|position| read(&vera.client, &vera, position))).await;
    assert!(answers.iter().all(|answer| answer["upTo"].as_i64() <= Some(last)));
    assert_eq!(seen(&vera.client, &vera).await.1[0]["position"], json!(last));
    let events = server.app().log.read_after(0, 1_000).await.unwrap();
    let marks = events.iter().filter(|event| event.header.event_type == "MessagesRead").count() as u64;
    let most = 1 + begun.elapsed().as_secs() + 1;
    assert!((1..=most).contains(&marks), "{marks} events");
}

each_database!(mark_is_a_position);
async fn mark_is_a_position(database: TestDatabase) {
    let server = Server::start(&database).await;
    let vera = server.visitor("Hello").await;
    let path = format!("/v1/threads/{}/read", vera.thread_id);
    for wrong in [json!({ "upTo": -1 }), json!({ "upTo": "7" }), json!({ "upTo": 1.5 }), json!({}), json!({ "up": 1 })]
    {
        assert_problem(&vera.client.post(&path, &wrong).await, 400, "invalid_request");
    }
    assert_eq!(
        read(&vera.client, &vera, 0).await["upTo"],
        json!(0),
        "before the first message there is nothing to see"
    );
}
