//! Whatever people write comes back byte for byte, on every way.

use application::ports::{EventLog, NewEvent, StreamAppend, StreamId};
use domain::aggregate::AggregateType;
use harness::{TestDatabase, each_database};
use infrastructure::sql_args;
use serde_json::Value;

use crate::support::{Node, of_streams, request, stream, with_payload};

fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " leading and trailing ",
        "it's \"quoted\" `backquoted`",
        r"C:\new\table\0 \' \\ \Z \% \_",
        "'); DROP TABLE events; -- ",
        "X'41' 0x41 /* */ # ? ?1 :name $1 %s {} ${jndi}",
        "line\nbreak\r\ntab\tNUL\u{0}bell\u{7}escape\u{1b}delete\u{7f}",
        "Grüße, 世界, здравствуй, שלום, नमस्ते",
        "\u{1f600}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{1f1e9}\u{1f1ea}",
        "e\u{301} is not \u{e9}; \u{feff}\u{202e}\u{fffd}\u{ffff}\u{10ffff}",
    ]
    .map(str::to_owned)
    .into();
    texts.push("16 KiB ".chars().chain("\u{1f600}".repeat(5_000).chars()).take(4_098).collect());
    texts.push("y".repeat(16 * 1024));
    texts
}

/// Forms of JSON that mean the same and are not the same bytes.
fn payloads(text: &str) -> [String; 2] {
    let text = Value::from(text).to_string();
    let spaced = format!(
        "{{ \"text\" : {text},\n\t\"type\":\"TagDeleted\", \"at\":\"2024-01-02T03:04:05.000006Z\", \
         \"n\":1.50, \"a\\u0000b\\/\":\"\\ud83d\\ude00\\u0000\", \"text2\":null }}"
    );
    let dense = format!(r#"{{"at":"2024-01-02T03:04:05.000006Z","text":{text},"type":"TagDeleted"}}"#);
    [spaced, dense]
}

/// As much of a text as fits the column.
fn actor(text: &str) -> String {
    let mut end = text.len().min(128);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

each_database!(every_text_round_trips_byte_for_byte);
async fn every_text_round_trips_byte_for_byte(database: TestDatabase) {
    let node = Node::start(&database).await;
    let mut written = vec![];
    for (id, text) in (0..).zip(texts()) {
        let mut request = request(&[(stream(id), 0, 2)]);
        request.actor = actor(&text);
        for (event, payload) in request.streams[0].events.iter_mut().zip(payloads(&text)) {
            event.payload = payload.clone();
            written.push((id, text.clone(), request.actor.clone(), payload));
        }
        node.log.append(request).await.unwrap_or_else(|error| panic!("{text:?}: {error:?}"));
    }

    let select = "SELECT actor, payload FROM events ORDER BY position";
    let rows = node.database.fetch_all(select, sql_args![]).await.unwrap();
    let last = written.len() as i64;
    node.wait_until_known(last).await;
    let from_memory = node.log.read_after(0, 1_000).await.unwrap();
    let from_database = node.newcomer().await.log.read_after(0, 1_000).await.unwrap();
    assert_eq!(rows.len(), written.len());
    for (index, (id, text, actor, payload)) in written.iter().enumerate() {
        assert_eq!(&rows[index].text("payload").unwrap(), payload);
        assert_eq!(&rows[index].text("actor").unwrap(), actor);
        assert_eq!(&from_memory[index].header.actor, actor);
        assert_eq!(&from_database[index].header, &from_memory[index].header);
        let streamed = node.log.read_stream(stream(*id), 0).await.unwrap();
        assert_eq!(streamed[index % 2].payload["text"], Value::from(text.as_str()));
    }
    node.ends_at(last).await;
}

/// The events that are pinned for good: each kind with all that is optional, and without.
fn pinned(kind: AggregateType) -> Vec<(String, String, Value)> {
    let path = format!("{}/../domain/tests/snapshots/stored_events__{kind}.snap", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (_, json) = text.trim_start_matches("---\n").split_once("\n---\n").unwrap();
    let samples: Vec<Value> = serde_json::from_str(json).unwrap();
    let of = |sample: &Value, name: &str| sample[name].as_str().unwrap().to_owned();
    samples.iter().map(|one| (of(one, "event_type"), of(one, "event_version"), one["payload"].clone())).collect()
}

/// The texts that people write in a payload, made as long as such a text may be, of what takes most bytes.
fn with_extreme_texts(payload: &Value) -> Value {
    let mut extreme = payload.clone();
    for (name, longest) in [("content", 16 * 1024 / 4), ("text", 16 * 1024 / 4)] {
        if extreme.get(name).is_some_and(Value::is_string) {
            extreme[name] = Value::from("\u{1f600}".repeat(longest));
        }
    }
    if extreme.get("metadata").is_some_and(Value::is_object) {
        extreme["metadata"] = serde_json::json!({
            "least": i64::MIN, "most": u64::MAX, "small": f64::MIN_POSITIVE, "large": f64::MAX, "": "\"\\\u{7f}", "n": null
        });
    }
    extreme
}

each_database!(every_kind_of_event_comes_back_byte_for_byte_at_its_extremes);
async fn every_kind_of_event_comes_back_byte_for_byte_at_its_extremes(database: TestDatabase) {
    let node = Node::start(&database).await;
    let mut written = vec![];
    for kind in AggregateType::ALL {
        for (event_type, event_version, payload) in pinned(kind) {
            let extreme = with_extreme_texts(&payload);
            for bytes in [payload.to_string(), serde_json::to_string_pretty(&payload).unwrap(), extreme.to_string()] {
                let stream = StreamId { kind, id: uuid::Uuid::from_u128(written.len() as u128 + 1) };
                let event = NewEvent {
                    event_type: event_type.clone(),
                    event_version: event_version.clone(),
                    ..with_payload(&bytes)
                };
                let append = StreamAppend { stream, expected_version: 0, events: vec![event] };
                node.log.append(of_streams(vec![append])).await.unwrap_or_else(|error| panic!("{bytes}: {error:?}"));
                written.push((stream, bytes));
            }
        }
    }
    assert!(written.len() > 100, "{}", written.len());
    let last = written.len() as i64;
    node.wait_until_known(last).await;
    let rows = node.database.fetch_all("SELECT payload FROM events ORDER BY position", sql_args![]).await.unwrap();
    let from_memory = node.log.read_after(0, written.len()).await.unwrap();
    let from_database = node.newcomer().await.log.read_after(0, written.len()).await.unwrap();
    for (index, (stream, bytes)) in written.iter().enumerate() {
        assert_eq!(&rows[index].text("payload").unwrap(), bytes);
        assert_eq!(from_memory[index].event, from_database[index].event, "{bytes}");
        let sent: Value = serde_json::from_str(bytes).unwrap();
        assert_eq!(node.log.read_stream(*stream, 0).await.unwrap()[0].payload, sent);
    }
    node.ends_at(last).await;
}
