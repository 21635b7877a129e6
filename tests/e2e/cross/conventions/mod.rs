//! What holds for every endpoint.

mod bodies;
mod idempotency;
mod order;
mod paging;

use harness::desk::assert_problem;
use harness::{Client, Desk, Server, TestDatabase, each_database};
use serde_json::{Map, Value, json};

/// A write of each kind in an order in which each changes something, with whether the client may decline to wait for it.
fn writes(desk: &Desk) -> Vec<(Client, &'static str, String, Value, bool)> {
    let (anyone, admin, visitor) = (&desk.client, &desk.admin.client, &desk.visitor.client);
    let status = format!("/v1/agents/{}/status", desk.agent.id);
    let hired = json!({ "name": "Ben", "email": "ben@example.com", "password": harness::PASSWORD });
    let gives = json!({ "agentId": desk.agent.id });
    vec![
        // The agent that is created is in the answer, as the read model has it.
        (admin.clone(), "POST", "/v1/agents".to_owned(), hired, false),
        (anyone.clone(), "POST", "/v1/widget/session".to_owned(), json!({ "initialMessage": "Hello" }), true),
        (visitor.clone(), "POST", desk.messages(), json!({ "content": "one" }), true),
        (visitor.clone(), "POST", desk.chat("/events"), json!({ "content": "two" }), true),
        (admin.clone(), "POST", desk.chat("/assign"), gives, true),
        (desk.agent.client.clone(), "POST", desk.chat("/close"), json!({ "reason": "done" }), true),
        (visitor.clone(), "POST", desk.chat("/reopen"), json!({}), true),
        (admin.clone(), "PUT", status, json!({ "status": "offline" }), true),
    ]
}

async fn open(database: &harness::TestDatabase) -> (Server, Desk) {
    let server = Server::start(database).await;
    let desk = Desk::open(server.client()).await;
    (server, desk)
}

each_database!(writes_tell_their_position_and_reads_may_demand_it);
async fn writes_tell_their_position_and_reads_may_demand_it(database: TestDatabase) {
    let (server, desk) = open(&database).await;
    let mut last = 0;
    for (client, method, path, body, _) in writes(&desk) {
        let reply = client.request(method.parse().unwrap(), &path, Some(&body)).await;
        assert!(reply.status < 300, "{path}: {}", reply.body);
        let position = reply.position();
        assert!(position > last, "{path}: {position} after {last}");
        assert_eq!(server.app().log.head().await.unwrap().position, position, "{path}");
        assert_eq!(reply.header("preference-applied"), None);
        last = position;
        let reader = desk.admin.client.with_header("If-Position-At-Least", &position.to_string());
        for list in ["/v1/agents", "/v1/conversations", &desk.messages(), &desk.chat("")] {
            let read = reader.get(list).await.expect(200);
            assert!(read.position() >= position, "{list}");
        }
    }
    let status = format!("/v1/agents/{}/status", desk.agent.id);
    let again = desk.admin.client.put(&status, &json!({ "status": "offline" })).await.expect(200);
    assert_eq!(again.header("event-position"), None, "nothing was written");
}

each_database!(who_prefers_it_is_answered_before_the_read_models_are_there);
async fn who_prefers_it_is_answered_before_the_read_models_are_there(database: TestDatabase) {
    let (_server, desk) = open(&database).await;
    for ((client, method, path, body, may_decline), prefer) in writes(&desk)
        .into_iter()
        .zip(["respond-async", "Respond-Async", "wait=5, respond-async", " respond-async ,x"].iter().cycle())
    {
        let client = client.with_header("Prefer", prefer);
        let reply = client.request(method.parse().unwrap(), &path, Some(&body)).await;
        assert!(reply.status < 300, "{path}: {}", reply.body);
        let applied = reply.header("preference-applied");
        assert_eq!(applied, may_decline.then_some("respond-async"), "{path}");
        let reader = desk.admin.client.with_header("If-Position-At-Least", &reply.position().to_string());
        reader.get("/v1/conversations").await.expect(200);
    }
    for prefer in ["return=minimal", "respond-asynchronously", ""] {
        let client = desk.visitor.client.with_header("Prefer", prefer);
        let reply = client.post(&desk.chat("/events"), &json!({ "content": prefer.len().to_string() })).await;
        assert_eq!(reply.expect(201).header("preference-applied"), None, "{prefer}");
    }
}

each_database!(demanded_position_is_waited_for);
async fn demanded_position_is_waited_for(database: TestDatabase) {
    let (server, desk) = open(&database).await;
    let next = server.app().log.head().await.unwrap().position + 1;
    let reader = desk.visitor.client.with_header("If-Position-At-Least", &next.to_string());
    let path = format!("{}?after={}", desk.messages(), next - 1);
    let early = tokio::spawn(async move { reader.get(&path).await });
    let client = desk.visitor.client.with_header("Prefer", "respond-async");
    tokio::task::yield_now().await;
    client.post(&desk.messages(), &json!({ "content": "late" })).await.expect(201);
    let page = early.await.unwrap().expect(200).body;
    assert_eq!(page["data"][0]["content"], "late");
}

#[tokio::test]
async fn requests_are_named_by_the_caller_or_by_the_server() {
    let database = harness::TestDatabase::sqlite();
    let (_server, desk) = open(&database).await;
    let paths = ["/health", "/readyz", "/v1/auth/me", "/v1/nowhere", "/v1/auth/login", "/v1/agents/x"];
    for path in paths {
        let generated = desk.admin.client.get(path).await;
        let id = generated.header("x-request-id").unwrap();
        let uuid = uuid::Uuid::try_parse(id).unwrap();
        assert_eq!((uuid.get_version_num(), uuid.to_string().as_str()), (7, id));
        let long = "x".repeat(128);
        for own in ["r-1", "01890000-0000-7000-8000-00000000ABCD", "a.b:c_d", &long] {
            let reply = desk.admin.client.with_header("x-request-id", own).get(path).await;
            assert_eq!(reply.header("x-request-id"), Some(own));
        }
        for bad in ["", "a b", "a\"b", "<x>", "a\tb", "a/b", &format!("{long}x"), "{}"] {
            let reply = desk.admin.client.with_header("x-request-id", bad).get(path).await;
            let given = reply.header("x-request-id").unwrap();
            assert!(uuid::Uuid::try_parse(given).is_ok(), "{bad:?} became {given}");
        }
    }
    let named = desk.client.with_header("x-request-id", "r-2").get("/v1/auth/me").await;
    assert_problem(&named, 401, "unauthorized");
    assert_eq!(named.body["instance"], "r-2");
}

/// Pins a body: ids are numbered in the order in which they appear, times and tokens lose their value.
pub fn pin(name: &str, body: &Value, ids: &mut Vec<String>) {
    let stable = stable("", body, ids);
    let mut settings = insta::Settings::clone_current();
    settings.set_sort_maps(true);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_json_snapshot!(name, stable));
}

fn stable(field: &str, value: &Value, ids: &mut Vec<String>) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), stable(name, value, ids)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| stable(field, item, ids)).collect(),
        Value::String(text) => json!(stable_text(field, text, ids)),
        // How often the router has tried depends on how long a chat waits.
        Value::Number(_) if ["position", "attempt"].contains(&field) => json!(format!("[{field}]")),
        other => other.clone(),
    }
}

fn stable_text(field: &str, text: &str, ids: &mut Vec<String>) -> String {
    if field.to_lowercase().ends_with("token") {
        // A JWT has three parts, a refresh token two.
        let parts = if field == "refresh_token" { 2 } else { 3 };
        assert_eq!(text.split('.').count(), parts, "{field}");
        return "[token]".to_owned();
    }
    if field == "nextCursor" && text.parse::<i64>().is_err() {
        return "[cursor]".to_owned();
    }
    if field == "at" || field.ends_with("At") {
        assert_time(text);
        return "[time]".to_owned();
    }
    let Ok(uuid) = uuid::Uuid::try_parse(text) else { return text.to_owned() };
    assert_eq!((uuid.get_version_num(), uuid.to_string().as_str()), (7, text), "{field} is a UUIDv7 in lower case");
    if field == "instance" {
        return "[request id]".to_owned();
    }
    let number = ids.iter().position(|id| id == text).unwrap_or_else(|| {
        ids.push(text.to_owned());
        ids.len() - 1
    });
    format!("[id {}]", number + 1)
}

/// RFC 3339 in UTC with microseconds.
#[track_caller]
fn assert_time(text: &str) {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000Z", "{text}");
}

each_database!(nothing_on_its_way_keeps_an_answer);
async fn nothing_on_its_way_keeps_an_answer(database: TestDatabase) {
    let (_server, desk) = open(&database).await;
    let (admin, stranger) = (&desk.admin.client, &desk.client);
    let mut answered = std::collections::BTreeSet::new();
    for endpoint in api::rest::endpoints() {
        if endpoint.path == "/v1/auth/logout" || endpoint.path == "/v1/stream" {
            continue;
        }
        let chat = &desk.visitor.conversation_id;
        let path = endpoint.path.replace("{id}", chat).replace("{agentId}", chat).replace("{tagId}", chat);
        let body = (endpoint.method != "GET").then(|| json!({}));
        for client in [admin, &desk.visitor.client, stranger] {
            let reply = client.request(endpoint.method.clone(), &path, body.as_ref()).await;
            let context = format!("{} {path}: {}", endpoint.method, reply.status);
            assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{context}");
            let is_public = path.starts_with("/docs");
            let kept = if is_public { "public, max-age=3600" } else { "no-store" };
            assert_eq!(reply.header("cache-control"), Some(kept), "{context}");
            answered.insert(reply.status);
        }
    }
    for path in ["/v1/nothing", "/v1/conversations/x", "/v1/agents?cursor=x"] {
        assert_eq!(admin.get(path).await.header("cache-control"), Some("no-store"), "{path}");
    }
    assert!([200, 400, 401, 403, 404].iter().all(|status| answered.contains(status)), "{answered:?}");
    let session = stranger.post("/v1/widget/session", &json!({ "initialMessage": "Hello" })).await.expect(201);
    assert_eq!(session.header("cache-control"), Some("no-store"));
}
