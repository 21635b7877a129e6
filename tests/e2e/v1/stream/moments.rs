//! What is about the moment: typing, looking, and places in queues.

use std::time::Duration;

use harness::desk::{assert_problem, wait_for_agent};
use harness::{
    Client, DatabaseKind, Events, Server, Stream, TestClock, TestDatabase, Visitor, each_database, left_out,
};
use serde_json::{Value, json};

use super::{chat, messages, served, token};

async fn join(server: &Server, client: &Client) -> Stream {
    Stream::join(server.base(), token(client), None).await.0
}

async fn moment(stream: &mut Stream, kind: &str) -> Value {
    let frames = stream.until(kind, |frame| frame["frame"] == "ephemeral" && frame["kind"] == kind).await;
    frames.into_iter().next_back().unwrap()
}

fn types(visitor: &Visitor, state: &str) -> Value {
    json!({ "frame": "typing", "conversationId": visitor.conversation_id, "state": state })
}

fn typing(visitor: &Visitor, (kind, id): (&str, &str), state: &str) -> Value {
    json!({
        "frame": "ephemeral", "kind": "typing", "conversationId": visitor.conversation_id,
        "author": { "type": kind, "id": id }, "state": state, "ttlMs": 10_000,
    })
}

async fn head(server: &Server) -> i64 {
    server.app().log.head().await.unwrap().position
}

each_database!(typing_reaches_the_other_side_and_is_stored_nowhere);
async fn typing_reaches_the_other_side_and_is_stored_nowhere(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, vera) = served(&server).await;
    let stranger = server.visitor("Hello, too").await;
    // Its assignment is in the log then.
    wait_for_agent(&stranger, &anna.id).await;
    let before = head(&server).await;
    let (mut of_anna, mut of_vera) = (join(&server, &anna.client).await, join(&server, &vera.client).await);
    let mut of_stranger = join(&server, &stranger.client).await;
    let mut of_admin = join(&server, &server.admin().await.client).await;
    of_vera.send(&types(&vera, "started")).await;
    let by_vera = typing(&vera, ("visitor", &vera.id), "started");
    assert_eq!(moment(&mut of_anna, "typing").await, by_vera);
    assert_eq!(moment(&mut of_admin, "typing").await, by_vera, "supervisors see every chat");
    of_vera.send(&types(&vera, "stopped")).await;
    assert_eq!(moment(&mut of_anna, "typing").await["state"], "stopped");
    of_anna.send(&types(&vera, "started")).await;
    assert_eq!(moment(&mut of_vera, "typing").await, typing(&vera, ("agent", &anna.id), "started"));

    // The same without a socket; and nobody hears of the chats of others, nor of themselves.
    let path = chat(&vera) + "/typing";
    vera.client.post(&path, &json!({ "state": "started" })).await.expect(204);
    assert_eq!(moment(&mut of_anna, "typing").await, by_vera);
    for frame in [&mut of_stranger, &mut of_vera] {
        frame.send(&json!({ "frame": "ping", "id": 7 })).await;
        let seen = frame.until("the answer", |frame| frame["frame"] == "pong").await;
        assert!(seen.iter().all(|frame| frame["kind"] != "typing"), "{seen:?}");
    }
    assert_eq!(head(&server).await, before, "nothing is in the log");
    let mut again = Stream::join(server.base(), token(&anna.client), None).await.0;
    again.send(&json!({ "frame": "ping", "id": 7 })).await;
    let seen = again.until("the answer", |frame| frame["frame"] == "pong").await;
    assert!(seen.iter().all(|frame| frame["kind"] != "typing"), "nothing is repeated: {seen:?}");
}

each_database!(typing_reaches_other_nodes);
async fn typing_reaches_other_nodes(database: TestDatabase) {
    // Two nodes need a database that is a server.
    if database.kind() != DatabaseKind::MySql {
        return;
    }
    let Some(url) = std::env::var("TEST_REDIS_URL").ok().filter(|url| !url.is_empty()) else {
        left_out("typing on another node", "TEST_REDIS_URL");
        return;
    };
    let with_redis = |settings: &mut api::config::Settings| settings.redis_url = Some(url.clone());
    let one = Server::start_with(&database, TestClock::new(), with_redis).await;
    let other = Server::start_with(&database, TestClock::new(), with_redis).await;
    let (anna, vera) = served(&one).await;
    let (mut of_anna, mut of_vera) = (join(&other, &anna.client).await, join(&one, &vera.client).await);
    // What is said before the nodes have found each other is lost.
    harness::eventually(harness::DEADLINE, "the other node passes it on", async || {
        of_vera.send(&types(&vera, "started")).await;
        match of_anna.next_within(Duration::from_millis(200)).await {
            Some(Ok(frame)) if frame["kind"] == "typing" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

each_database!(only_participants_show_that_they_write);
async fn only_participants_show_that_they_write(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, vera) = served(&server).await;
    let ben = server.person("agent", "away", 1).await;
    let path = chat(&vera) + "/typing";
    let started = json!({ "state": "started" });
    assert_problem(&ben.client.post(&path, &started).await, 403, "forbidden");
    for wrong in
        [json!({}), json!({ "state": "maybe" }), json!({ "state": "started", "draft": "x".repeat(16 * 1024 + 1) })]
    {
        assert_problem(&vera.client.post(&path, &wrong).await, 400, "invalid_request");
    }
    let draft = json!({ "state": "started", "draft": "a note about the visitor" });
    assert_problem(&anna.client.post(&path, &draft).await, 400, "invalid_request");
    // On a socket it is ignored, and the stream goes on.
    let (mut of_ben, mut of_anna) = (join(&server, &ben.client).await, join(&server, &anna.client).await);
    let mut of_vera = join(&server, &vera.client).await;
    of_ben.send(&types(&vera, "started")).await;
    let mut noted = types(&vera, "started");
    noted["draft"] = json!("a note about the visitor");
    of_anna.send(&noted).await;
    of_vera.send(&json!({ "frame": "looking", "conversationId": vera.conversation_id, "state": "started" })).await;
    for stream in [&mut of_ben, &mut of_anna] {
        stream.send(&json!({ "frame": "ping", "id": 7 })).await;
        stream.until("the answer", |frame| frame["frame"] == "pong").await;
    }
    of_anna.send(&types(&vera, "started")).await;
    let seen = of_vera.until("what Anna does", |frame| frame["kind"] == "typing").await;
    let seen: Vec<_> = seen.iter().filter(|frame| frame["kind"] == "typing").collect();
    assert_eq!(seen, [&typing(&vera, ("agent", &anna.id), "started")]);
    vera.close(&vera.client).await;
    assert_problem(&vera.client.post(&path, &started).await, 409, "chat_closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn draft_reaches_agents_where_the_installation_allows_it_and_visitors_never() {
    for allowed in [false, true] {
        let database = TestDatabase::sqlite();
        let set = |settings: &mut api::config::Settings| settings.sneak_peek = allowed;
        let server = Server::start_with(&database, TestClock::new(), set).await;
        let (anna, vera) = served(&server).await;
        let (mut of_anna, mut of_vera) = (join(&server, &anna.client).await, join(&server, &vera.client).await);
        let mut second = join(&server, &vera.client).await;
        let mut draft = types(&vera, "started");
        draft["draft"] = json!("I am so ang");
        of_vera.send(&draft).await;
        let shown = moment(&mut of_anna, "typing").await;
        assert_eq!(shown.get("draft"), allowed.then(|| json!("I am so ang")).as_ref());
        // A message of the visitor is what the other device sees.
        vera.client.post(&messages(&vera), &json!({ "content": "Hello" })).await.expect(201);
        let seen = second.until("the message", |frame| frame["data"]["content"] == "Hello").await;
        assert!(!json!(seen).to_string().contains("ang"), "{seen:?}");
        vera.close(&vera.client).await;
        server.stop().await;
    }
}

each_database!(agents_see_who_looks_at_a_chat);
async fn agents_see_who_looks_at_a_chat(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, vera) = served(&server).await;
    let ben = server.person("agent", "away", 1).await;
    let (mut of_anna, mut of_ben) = (join(&server, &anna.client).await, join(&server, &ben.client).await);
    let mut of_vera = join(&server, &vera.client).await;
    of_ben.send(&json!({ "frame": "looking", "conversationId": vera.conversation_id, "state": "started" })).await;
    let expected = json!({
        "frame": "ephemeral", "kind": "looking", "conversationId": vera.conversation_id,
        "agentId": ben.id, "state": "started", "ttlMs": 30_000,
    });
    assert_eq!(moment(&mut of_anna, "looking").await, expected);
    of_anna.send(&types(&vera, "started")).await;
    let seen = of_vera.until("what Anna does", |frame| frame["kind"] == "typing").await;
    assert!(seen.iter().all(|frame| frame["kind"] != "looking"), "visitors do not see who looks: {seen:?}");
}

each_database!(waiting_visitors_see_their_places_and_agents_their_queues);
async fn waiting_visitors_see_their_places_and_agents_their_queues(database: TestDatabase) {
    let server = Server::start(&database).await;
    let ben = server.person("agent", "away", 1).await;
    let (first, second) = (server.visitor("one").await, server.visitor("two").await);
    let (mut of_first, mut of_second) = (join(&server, &first.client).await, join(&server, &second.client).await);
    let mut of_ben = join(&server, &ben.client).await;
    let place = |visitor: &Visitor, place: i64| {
        json!({
            "frame": "ephemeral", "kind": "queue_position",
            "conversationId": visitor.conversation_id, "queuePosition": place,
        })
    };
    assert_eq!(moment(&mut of_first, "queue_position").await, place(&first, 1));
    assert_eq!(moment(&mut of_second, "queue_position").await, place(&second, 2));
    let queue = moment(&mut of_ben, "queue").await;
    assert_eq!(queue["waiting"], json!(2));
    assert_eq!(queue["waitingSince"], first.conversation().await["createdAt"]);
    first.close(&first.client).await;
    assert_eq!(moment(&mut of_second, "queue_position").await, place(&second, 1));
    assert_eq!(moment(&mut of_ben, "queue").await["waiting"], json!(1));
    second.close(&second.client).await;
    let empty = moment(&mut of_ben, "queue").await;
    assert_eq!((&empty["waiting"], &empty["waitingSince"]), (&json!(0), &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_sent_events_have_what_is_about_the_moment_with_the_position_of_before() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let (anna, vera) = served(&server).await;
    let mut events = Events::follow(server.base(), token(&anna.client), None).await;
    let live = events.until("live").await.pop().unwrap();
    vera.client.post(&(chat(&vera) + "/typing"), &json!({ "state": "started" })).await.expect(204);
    let event = loop {
        let event = events.until("ephemeral").await.pop().unwrap();
        if event.data["kind"] == "typing" {
            break event;
        }
    };
    assert_eq!(event.data, typing(&vera, ("visitor", &vera.id), "started"));
    assert_eq!(event.id, live.id, "it moves no position");
}
