//! How streams are refused and closed.

use harness::{Closed, Server, Stream, TestDatabase};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{beginning, token};

/// Sends a message as the first one, or after the greeting, and returns the end.
async fn end_after(server: &Server, joined: bool, message: Message) -> (u16, Value) {
    let visitor = server.visitor("Hello").await;
    let mut stream = match joined {
        true => Stream::join(server.base(), token(&visitor.client), None).await.0,
        false => Stream::connect(server.base()).await,
    };
    stream.send_message(message).await;
    code(stream.closed().await)
}

fn code(closed: Closed) -> (u16, Value) {
    let error = closed.error.unwrap_or_else(|| panic!("{} without a reason", closed.code));
    assert_eq!(error["terminal"] == json!(true), error.get("retryInMs").is_none(), "{error}");
    (closed.code, error["code"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_frames_have_their_codes() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let bad = (4400, json!("bad_frame"));
    for joined in [false, true] {
        for text in ["", "{", "[]", r#"{"frame":"shout"}"#, r#"{"frame":"hello","token":"x","more":1}"#] {
            assert_eq!(end_after(&server, joined, Message::text(text)).await, bad, "{text}");
        }
        assert_eq!(end_after(&server, joined, Message::binary(vec![1, 2])).await, bad);
        let large = Message::text("x".repeat(64 * 1024 + 1));
        assert_eq!(end_after(&server, joined, large).await, (4413, json!("frame_too_large")));
    }
    assert_eq!(end_after(&server, false, Message::text(r#"{"frame":"ping","id":1}"#)).await, bad);
    assert_eq!(end_after(&server, true, Message::text(r#"{"frame":"hello","token":"x"}"#)).await, bad);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_and_positions_that_are_not_good_have_their_codes() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let visitor = server.visitor("Hello").await;
    let good = token(&visitor.client).to_owned();
    let end = async |token: &str, after: Option<&str>| {
        code(Stream::try_join(server.base(), token, after).await.err().expect("no stream"))
    };
    let revoked = (4403, json!("revoked"));
    assert_eq!(end("", None).await, revoked);
    assert_eq!(end(&format!("{good}x"), None).await, revoked);
    let start = beginning(&server).await;
    let head = server.app().log.head().await.unwrap().position;
    let unknown = (4409, json!("unknown_position"));
    assert_eq!(end(&good, Some(&start.replace(":0", &format!(":{}", head + 1)))).await, unknown);
    assert_eq!(end(&good, Some("00000000-0000-7000-8000-000000000000:0")).await, unknown);
    for after in ["", "7", "x:0", &start.replace(":0", ":-1")] {
        assert_eq!(end(&good, Some(after)).await, (4400, json!("bad_frame")), "{after}");
    }
    Stream::join(server.base(), &good, Some(&start.replace(":0", &format!(":{head}")))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_streams_and_frames_are_refused() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let visitor = server.visitor("Hello").await;
    let mut open = vec![];
    for _ in 0..5 {
        open.push(Stream::join(server.base(), token(&visitor.client), None).await.0);
    }
    let refused = Stream::try_join(server.base(), token(&visitor.client), None).await.err().expect("one too many");
    assert_eq!(code(refused), (4429, json!("too_many_streams")));
    let mut last = open.pop().unwrap();
    for id in 0..120 {
        last.send(&json!({ "frame": "ping", "id": id })).await;
    }
    assert_eq!(code(last.closed().await), (4429, json!("too_many_frames")));
    drop(last);
    harness::eventually(harness::DEADLINE, "there is room again", async || {
        Stream::try_join(server.base(), token(&visitor.client), None).await.map_err(|closed| format!("{closed:?}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_other_origins_are_refused() {
    let database = TestDatabase::sqlite();
    let cors = |settings: &mut api::config::Settings| settings.cors_origins = "https://shop.example".parse().unwrap();
    let server = Server::start_with(&database, harness::TestClock::new(), cors).await;
    let own = server.base().to_owned();
    for (origin, allowed) in [("https://shop.example", true), (own.as_str(), true), ("https://evil.example", false)] {
        let outcome = Stream::try_connect(server.base(), &[("origin", origin)]).await;
        assert_eq!(outcome.err(), (!allowed).then_some(403), "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_client_is_closed() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let mut stream = Stream::connect(server.base()).await;
    assert_eq!(code(stream.closed().await), (4408, json!("no_hello")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drain_closes_all_with_a_hint_and_they_resume_on_the_next_node() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let visitor = server.visitor("Hello").await;
    let (mut stream, _) = Stream::join(server.base(), token(&visitor.client), None).await;
    let mut silent = Stream::connect(server.base()).await;
    let said = json!({ "content": "before the drain" });
    let position = visitor.client.post(&super::messages(&visitor), &said).await.expect(201).position();
    stream.event("the message", |frame| frame["position"] == position).await;
    let cursor = stream.cursor();
    let stopping = tokio::spawn(server.stop());
    for stream in [&mut stream, &mut silent] {
        let closed = stream.closed().await;
        let retry = closed.error.as_ref().unwrap()["retryInMs"].as_u64().unwrap();
        assert!((1_000..=10_000).contains(&retry), "{retry}");
        assert_eq!(code(closed), (1012, json!("draining")));
    }
    stopping.await.unwrap();
    let next = Server::start(&database).await;
    let client = next.client().with_token(token(&visitor.client));
    let said = client.post(&super::messages(&visitor), &json!({ "content": "after it" })).await.expect(201).body;
    let (_, frames) = Stream::join(next.base(), token(&visitor.client), Some(&cursor)).await;
    let ids: Vec<_> = frames.iter().filter(|frame| frame["data"]["type"] == "message").collect();
    assert_eq!(ids.len(), 1, "{frames:?}");
    assert_eq!(ids[0]["data"]["id"], said["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_that_takes_nothing_is_closed() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let (agent, visitor) = super::served(&server).await;
    let mut stream = Stream::with_small_buffer(server.base(), token(&visitor.client)).await;
    // More than the buffers of the system hold.
    let said = json!({ "content": "x".repeat(16_000) });
    let path = super::messages(&visitor);
    for _ in 0..16 {
        futures::future::join_all((0..32).map(async |_| agent.client.post(&path, &said).await.expect(201))).await;
    }
    // The reason is given while the client still has a moment to read it.
    let is_figure = |line: &str| line.contains(r#"stream_closes_total{code="too_slow"}"#) && !line.ends_with(" 0");
    harness::eventually(3 * harness::DEADLINE, "the client is too slow", async || {
        let request = reqwest::Client::new().get(format!("{}/metrics", server.base()));
        let text = request.bearer_auth(harness::METRICS_TOKEN).send().await.unwrap().text().await.unwrap();
        if text.lines().any(is_figure) { Ok(()) } else { Err("not yet") }
    })
    .await;
    assert_eq!(code(stream.closed().await), (4410, json!("too_slow")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_of_one_address_are_bounded() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    // All at once: each may take ten seconds for its greeting.
    let _strangers = futures::future::join_all((0..200).map(|_| Stream::connect(server.base()))).await;
    let mut refused = Stream::connect(server.base()).await;
    assert_eq!(code(refused.closed().await), (4429, json!("too_many_strangers")));
}
