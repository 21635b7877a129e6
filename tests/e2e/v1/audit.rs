//! The log, paged.

use std::collections::BTreeSet;

use harness::desk::assert_problem;
use harness::{Client, Server, TestDatabase, each_database};
use serde_json::json;

use crate::cli::audit::server_with_a_chat;

each_database!(admins_look_into_the_log);
async fn admins_look_into_the_log(database: TestDatabase) {
    let server = server_with_a_chat(&database).await;
    let admin = server.admin().await.client;
    let mut last = None;
    let mut seen = vec![];
    let mut path = "/v1/audit?sort=oldest&limit=7".to_owned();
    loop {
        let page = admin.get(&path).await.expect(200).body;
        for event in page["data"].as_array().unwrap() {
            seen.push(event["position"].as_i64().unwrap());
            last = Some(event.clone());
        }
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("/v1/audit?sort=oldest&limit=7&cursor={cursor}");
    }
    assert_eq!(seen, (1..=i64::try_from(seen.len()).unwrap()).collect::<Vec<_>>());
    let last = last.unwrap();
    let newest = admin.get("/v1/audit?limit=1").await.expect(200).body;
    assert_eq!(newest["data"][0]["hash"], last["hash"]);
    for (filter, field) in [("actor", "actor"), ("type", "type"), ("aggregate", "aggregateType")] {
        let wanted = last[field].as_str().unwrap();
        let events = admin.get(&format!("/v1/audit?{filter}={wanted}")).await.expect(200).body["data"].clone();
        let events = events.as_array().unwrap();
        assert!(!events.is_empty() && events.iter().all(|event| event[field] == wanted), "{filter}");
    }
    let (kind, id) = (last["aggregateType"].as_str().unwrap(), last["aggregateId"].as_str().unwrap());
    let one = admin.get(&format!("/v1/audit?aggregate={kind}:{id}&sort=oldest")).await.expect(200).body;
    let sequences: Vec<_> = one["data"].as_array().unwrap().iter().map(|event| event["sequence"].clone()).collect();
    assert_eq!(sequences, (1..=sequences.len()).map(|number| json!(number)).collect::<Vec<_>>());
    let from = last["recordedAt"].as_str().unwrap();
    let late = admin.get(&format!("/v1/audit?from={from}")).await.expect(200).body;
    assert!(late["data"].as_array().unwrap().contains(&last));
    let started = admin.get("/v1/audit?type=ChatStarted").await.expect(200).body["data"][0].clone();
    let actor = started["actor"].as_str().unwrap();
    for (field, known) in [("type", "ChatStarted"), ("actor", actor)] {
        let found = async |text: &str| {
            let page = admin.get(&format!("/v1/audit?{field}={text}")).await.expect(200).body;
            page["data"].as_array().unwrap().len()
        };
        assert_ne!(found(known).await, 0);
        for other in [known.to_uppercase(), format!("{known}%20"), known.replace('a', "%C3%A4"), "%C3%A9".to_owned()] {
            assert_ne!(other, known);
            assert_eq!(found(&other).await, 0, "{field}={other}");
        }
    }
    let none = admin.get("/v1/audit?to=2020-01-01T00:00:00Z").await.expect(200).body;
    assert_eq!(none, json!({ "data": [], "nextCursor": null }));
    for (wrong, field) in
        [("aggregate=x", "aggregate"), ("from=0", "from"), ("to=soon", "to"), ("sort=x", "sort"), ("actor=", "actor")]
    {
        let reply = admin.get(&format!("/v1/audit?{wrong}")).await.expect(400);
        assert_eq!(reply.body["errors"][0]["field"], field, "{wrong}");
    }
    let cursor = newest["nextCursor"].as_str().unwrap();
    admin.get(&format!("/v1/audit?sort=oldest&cursor={cursor}")).await.expect(400);
    let supervisor = server.person("supervisor", "away", 1).await;
    supervisor.client.get("/v1/audit").await.expect(403);
}

each_database!(demanded_position_that_the_log_does_not_have_is_not_reached);
async fn demanded_position_that_the_log_does_not_have_is_not_reached(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (admin, visitor) = (server.admin().await.client, server.visitor("Hello").await);
    let head = server.app().log.head().await.unwrap().position;
    for path in ["/v1/audit".to_owned(), format!("/v1/visitors/{}/personal-data", visitor.id)] {
        let demanding = |position: i64| admin.with_header("If-Position-At-Least", &position.to_string());
        demanding(head).get(&path).await.expect(200);
        assert_problem(&demanding(head + 1_000).get(&path).await, 503, "position_not_reached");
    }
}

each_database!(forged_cursors_end_the_list_at_once);
async fn forged_cursors_end_the_list_at_once(database: TestDatabase) {
    let server = server_with_a_chat(&database).await;
    let admin = server.admin().await.client;
    for (sort, ends) in [("oldest", [i64::MAX, i64::MAX - 1]), ("newest", [i64::MIN, i64::MIN + 1])] {
        for position in ends {
            let cursor = projections::encode_cursor(&format!("audit.{sort}"), position);
            let page = admin.get(&format!("/v1/audit?sort={sort}&cursor={cursor}")).await.expect(200).body;
            assert_eq!(page, json!({ "data": [], "nextCursor": null }), "{sort} from {position}");
        }
    }
    for (sort, position) in [("oldest", i64::MIN), ("newest", i64::MAX)] {
        let cursor = projections::encode_cursor(&format!("audit.{sort}"), position);
        let page = admin.get(&format!("/v1/audit?sort={sort}&limit=3&cursor={cursor}")).await.expect(200).body;
        assert_eq!(page["data"].as_array().unwrap().len(), 3, "{sort} from {position}");
    }
}

each_database!(nobody_files_events_under_the_request_of_another);
async fn nobody_files_events_under_the_request_of_another(database: TestDatabase) {
    const REQUEST: &str = "01890000-0000-7000-8000-00000000abcd";
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let named = |client: &Client| client.with_header("x-request-id", REQUEST);
    let visitor = server.visitor("Hello").await;
    let messages = format!("/v1/conversations/{}/events", visitor.conversation_id);
    for name in ["one", "two"] {
        let reply = named(&admin).post("/v1/tags", &json!({ "name": name })).await.expect(201);
        assert_eq!(reply.header("x-request-id"), Some(REQUEST), "the caller's own id is kept");
    }
    named(&visitor.client).post(&messages, &json!({ "content": "mine" })).await.expect(201);
    named(&server.client()).post("/v1/widget/session", &json!({ "initialMessage": "too" })).await.expect(201);
    let events = admin.get("/v1/audit?sort=newest&limit=50").await.expect(200).body["data"].clone();
    let correlated = |kind: &str| {
        let of_kind = events.as_array().unwrap().iter().filter(|event| event["type"] == kind);
        of_kind.map(|event| event["correlationId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (tags, messages) = (correlated("TagCreated"), correlated("MessageSent"));
    assert_eq!(tags[0], tags[1], "what a caller does under one id belongs together");
    let strangers: BTreeSet<_> = messages.iter().chain(&tags).collect();
    // The first message of the first chat came without an id.
    assert_eq!(strangers.len(), 4, "{tags:?} and {messages:?}");
    assert!(strangers.iter().all(|id| *id != REQUEST));
}
