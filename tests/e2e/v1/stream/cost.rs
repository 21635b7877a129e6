//! What a reader costs: nothing that the database would notice.

use harness::{ADMIN_EMAIL, METRICS_TOKEN, PASSWORD, Person, Process, Stream, TestDatabase, each_database};
use serde_json::json;

use super::{messages, token};

const MESSAGES: usize = 30;

/// A figure of the process.
async fn figure(process: &Process, name: &str) -> f64 {
    let text = process.client().with_token(METRICS_TOKEN).get("/metrics").await.expect(200).body;
    let line =
        text.as_str().unwrap().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).map(str::to_owned);
    line.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
}

/// The queries of the process while messages are sent and all streams get them.
async fn queries(process: &Process, agent: &Person, visitor: &harness::Visitor, streams: &mut [Stream]) -> f64 {
    let before = figure(process, "livechatlog_database_reads_total").await;
    for number in 0..MESSAGES {
        let said = json!({ "content": number.to_string() });
        let id = agent.client.post(&messages(visitor), &said).await.expect(201).text("/id").to_owned();
        for stream in streams.iter_mut() {
            stream.event("the message", |frame| frame["data"]["id"] == json!(id)).await;
        }
    }
    figure(process, "livechatlog_database_reads_total").await - before
}

each_database!(queries_of_an_event_do_not_grow_with_the_readers);
async fn queries_of_an_event_do_not_grow_with_the_readers(database: TestDatabase) {
    let settings = Process::on(&database).setting("ADMIN_EMAIL", ADMIN_EMAIL).setting("ADMIN_PASSWORD", PASSWORD);
    let process = settings.setting("METRICS_TOKEN", METRICS_TOKEN).start().await;
    let client = process.client().clone();
    let admin = client.log_in(ADMIN_EMAIL).await;
    let mut staff = vec![];
    for number in 0..6 {
        let email = format!("agent{number}@example.com");
        let agent = json!({ "name": "Agent", "email": email, "password": PASSWORD, "status": "away" });
        admin.client.post("/v1/agents", &agent).await.expect(201);
        staff.push(client.log_in(&email).await);
    }
    let chat = client.visitor(json!({ "initialMessage": "Hello" })).await;
    let taken = json!({ "agentId": staff[0].id });
    staff[0].client.post(&format!("/v1/conversations/{}/assign", chat.conversation_id), &taken).await.expect(200);
    let mut streams = vec![];
    for number in 0..110 {
        if number == 10 {
            assert!(figure(&process, r#"livechatlog_streams_open{form="websocket"}"#).await >= 10.0);
        }
        streams.push(Stream::join(client.base(), token(&staff[number % 6].client), None).await.0);
    }
    let (few, _) = streams.split_at_mut(10);
    let with_all = {
        let few_seen = queries(&process, &staff[0], &chat, few).await;
        for stream in &mut streams[10..] {
            // They catch up with what the few have seen.
            stream
                .event("the last message", |frame| frame["data"]["content"] == json!((MESSAGES - 1).to_string()))
                .await;
        }
        few_seen
    };
    streams.truncate(10);
    harness::eventually(harness::DEADLINE, "the others are gone", async || {
        let open = figure(&process, r#"livechatlog_streams_open{form="websocket"}"#).await;
        if open == 10.0 { Ok(()) } else { Err(open) }
    })
    .await;
    let with_few = queries(&process, &staff[0], &chat, &mut streams).await;
    println!("{with_all} queries with 110 readers, {with_few} with 10");
    assert!(with_all <= with_few * 1.2 + 20.0, "{with_all} queries with 110 readers, {with_few} with 10");
}
