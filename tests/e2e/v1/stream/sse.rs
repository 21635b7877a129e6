//! The stream as server-sent events.

use std::time::Duration;

use harness::desk::assert_problem;
use harness::{Events, Server, Stream, TestClock, TestDatabase, each_database};
use serde_json::json;

use super::{beginning, listed, messages, of_thread, served, token};

each_database!(events_and_sockets_show_the_same);
async fn events_and_sockets_show_the_same(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (agent, visitor) = served(&server).await;
    for number in 0..10 {
        agent.client.post(&messages(&visitor), &json!({ "content": number.to_string() })).await.expect(201);
    }
    let start = beginning(&server).await;
    for client in [&visitor.client, &agent.client, &server.admin().await.client] {
        let mut after = start.clone();
        let (frames, events) = loop {
            // An agent's stream begins again where the agent came into the group.
            let Ok(mut stream) = Stream::try_join(server.base(), token(client), Some(&after)).await else { panic!() };
            let mut frames = vec![];
            while let Ok(frame) = stream.next().await {
                frames.push(frame);
                if frames.last().unwrap()["frame"] == "live" {
                    break;
                }
            }
            if frames.last().is_none_or(|frame| frame["frame"] != "live") {
                after = format!("{}:{}", stream.epoch, stream.position + 1);
                continue;
            }
            let mut events = Events::follow(server.base(), token(client), Some(&after)).await;
            break (frames, events.until("live").await);
        };
        let data: Vec<_> =
            events.iter().filter(|event| event.name == "event").map(|event| event.data.clone()).collect();
        let frames: Vec<_> = frames.into_iter().filter(|frame| frame["frame"] == "event").collect();
        assert_eq!(data, frames);
        let shown = of_thread(&data, &visitor.thread_id);
        assert_eq!(shown, listed(client, &messages(&visitor)).await);
    }
}

each_database!(client_that_comes_back_with_its_last_id_misses_nothing);
async fn client_that_comes_back_with_its_last_id_misses_nothing(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (agent, visitor) = served(&server).await;
    let mut events = Events::follow(server.base(), token(&visitor.client), None).await;
    let mut last = events.until("live").await.pop().unwrap().id;
    let mut seen = vec![];
    for number in 0..6 {
        let said = json!({ "content": number.to_string() });
        agent.client.post(&messages(&visitor), &said).await.expect(201);
        if number % 2 == 1 {
            drop(events);
            // The last id counts more than the query of the first connection. Some clients send no header.
            let bearer = format!("Bearer {}", token(&visitor.client));
            let (authorization, start) = (("authorization", bearer.as_str()), beginning(&server).await);
            events = if number == 1 {
                let headers = [authorization, ("last-event-id", last.as_str())];
                Events::open(server.base(), &format!("?after={start}"), &headers).await
            } else {
                let query = format!("?after={start}&lastEventId={last}");
                Events::open(server.base(), &query, &[authorization]).await
            };
            for event in events.until("live").await {
                last.clone_from(&event.id);
                seen.extend(event.data["data"]["content"].as_str().map(str::to_owned));
            }
        }
    }
    assert_eq!(seen, ["0", "1", "2", "3", "4", "5"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answer_is_what_browsers_and_proxies_need() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let visitor = server.visitor("Hello").await;
    let bearer = format!("Bearer {}", token(&visitor.client));
    let mut events = Events::open(server.base(), "?heartbeat=1", &[("authorization", &bearer)]).await;
    assert_eq!(events.status(), 200);
    for (name, value) in
        [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")]
    {
        assert_eq!(events.headers()[name], value);
    }
    let first = events.next().await.unwrap();
    assert_eq!((first.name.as_str(), &first.data["frame"]), ("welcome", &json!("welcome")));
    assert!((1_000..=60_000).contains(&first.retry.unwrap()));
    events.until("live").await;
    // Nothing happens for the visitor; the position follows the log all the same.
    server.admin().await.client.post("/v1/tags", &json!({ "name": "x" })).await.expect(201);
    let position = events.until("position").await.pop().unwrap();
    assert!(position.data["position"].as_i64() > first.data["position"].as_i64());
    assert!(server.visitor("A later one").await.client.get("/v1/agents").await.status == 403);
    events.until("position").await;
    assert!(events.headers().get("event-epoch").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_final_is_refused_and_what_passes_ends_the_stream() {
    let (database, clock) = (TestDatabase::sqlite(), TestClock::new());
    let server = Server::start_at(&database, clock.clone()).await;
    let visitor = server.visitor("Hello").await;
    assert_problem(&server.client().get("/v1/stream").await, 401, "unauthorized");
    assert_eq!(visitor.client.get("/v1/stream").await.body["code"], "not_acceptable");
    assert_eq!(Events::follow(server.base(), "forged", None).await.status(), 401);
    let bearer = format!("Bearer {}", token(&visitor.client));
    for query in ["?heartbeat=0", "?heartbeat=61", "?heartbeat=x", "?more=1"] {
        assert_eq!(Events::open(server.base(), query, &[("authorization", &bearer)]).await.status(), 400, "{query}");
    }
    let foreign = [("authorization", bearer.as_str()), ("origin", "https://evil.example")];
    assert_eq!(Events::open(server.base(), "", &foreign).await.status(), 403);
    // An empty id is none.
    let mut events = Events::follow(server.base(), token(&visitor.client), Some("")).await;
    events.until("live").await;
    let unknown = "00000000-0000-7000-8000-000000000000:0";
    let mut lost = Events::follow(server.base(), token(&visitor.client), Some(unknown)).await;
    let end = lost.next().await.unwrap();
    assert_eq!((lost.status(), end.name.as_str(), end.id.as_str()), (200, "unknown_position", unknown));
    assert!(end.retry.is_some() && end.data["terminal"] == true && lost.next().await.is_none());
    clock.advance(Duration::from_secs(31 * 86_400));
    let end = events.until("token_expired").await.pop().unwrap();
    assert!(end.id.contains(':') && events.next().await.is_none(), "{end:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drain_ends_the_stream_at_an_events_end() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let visitor = server.visitor("Hello").await;
    let mut events = Events::follow(server.base(), token(&visitor.client), None).await;
    let live = events.until("live").await.pop().unwrap();
    let stopping = tokio::spawn(server.stop());
    let end = events.next().await.unwrap();
    assert_eq!((end.name.as_str(), &end.id), ("draining", &live.id));
    assert!((1_000..=10_000).contains(&end.retry.unwrap()));
    assert!(events.next().await.is_none());
    stopping.await.unwrap();
}
