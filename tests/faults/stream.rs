//! A node with live streams is killed again and again: every reader gets every event once.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use harness::{Client, DEADLINE, Process, Stream, TestDatabase, each_database, eventually, free_port};
use serde_json::{Value, json};

use crate::people::program_on;
use crate::recovery::{assert_clean, pause, rounds};

/// How often the node is killed; `FAULT_ROUNDS` says otherwise.
const ROUNDS: usize = 3;

/// Sends messages until it is done, each of them until it is acknowledged. The result is how many there are.
async fn write(client: Client, path: String, done: &AtomicBool) -> usize {
    let mut number = 0;
    while !done.load(Ordering::SeqCst) {
        let said = json!({ "content": "x", "clientEventId": format!("m-{number}") });
        eventually(DEADLINE, "the message is acknowledged", async || {
            match client.try_request(reqwest::Method::POST, &path, Some(&said)).await {
                Ok(reply) if reply.status == 201 => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        number += 1;
    }
    number
}

/// Follows through all deaths until the last message is there. The result is how often each message came.
async fn follow(client: Client, mut stream: Stream, last: impl Fn() -> Option<usize>) -> BTreeMap<String, usize> {
    let (mut seen, token) = (BTreeMap::new(), client.token().unwrap().to_owned());
    while last().is_none_or(|count| seen.len() < count) {
        let cursor = stream.cursor();
        match stream.next_within(std::time::Duration::from_millis(200)).await {
            Some(Ok(frame)) => count(&mut seen, &frame),
            None => {}
            Some(Err(_)) => {
                stream = eventually(DEADLINE, "the stream goes on", async || {
                    Stream::try_join(client.base(), &token, Some(&cursor)).await.map_err(|closed| format!("{closed:?}"))
                })
                .await;
            }
        }
    }
    seen
}

fn count(seen: &mut BTreeMap<String, usize>, frame: &Value) {
    if let Some(id) = frame["data"]["clientEventId"].as_str() {
        *seen.entry(id.to_owned()).or_default() += 1;
    }
}

each_database!(streams_go_on_after_kill9_without_a_gap);
async fn streams_go_on_after_kill9_without_a_gap(database: TestDatabase) {
    let port = free_port().to_string();
    let start = || program_on(&database).setting("PORT", port.clone()).start();
    let mut process: Process = start().await;
    let session = json!({ "initialMessage": "Hello" });
    let chat = process.client().post("/v1/widget/session", &session).await.expect(201);
    let client = process.client().with_token(chat.text("/sessionToken"));
    let path = format!("/v1/threads/{}/events", chat.text("/threadId"));
    let (done, total) = (AtomicBool::new(false), OnceLock::new());
    // They join before the first message: a stream without a cursor begins at its own moment.
    let mut streams = vec![];
    for _ in 0..3 {
        streams.push(Stream::join(client.base(), client.token().unwrap(), None).await.0);
    }
    let readers = join_all(streams.into_iter().map(|stream| follow(client.clone(), stream, || total.get().copied())));
    let writer = async {
        let written = write(client.clone(), path, &done).await;
        total.set(written).expect("the only writer");
        written
    };
    let killer = async {
        for _ in 0..rounds(ROUNDS) {
            pause(200..900).await;
            process.kill9();
            assert_clean(&process);
            process = start().await;
        }
        done.store(true, Ordering::SeqCst);
    };
    let all = async { tokio::join!(readers, writer, killer) };
    let (readers, written, ()) =
        tokio::time::timeout(4 * DEADLINE, all).await.expect("nobody waits for a lost message");
    assert!(written > 10, "{written} messages");
    for seen in readers {
        assert_eq!((seen.len(), seen.values().max()), (written, Some(&1)));
    }
}
