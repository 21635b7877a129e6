//! Whole bodies, as clients get them.

use harness::desk::{NOBODY, assert_problem, wait_for_agent};
use harness::{ADMIN_EMAIL, PASSWORD, Person, Server, TestDatabase, Visitor, each_database};
use serde_json::json;

use super::pin;

/// Agents and a visitor before anything has happened between them, with all ids in the order of the first snapshots.
struct Cast {
    server: Server,
    ids: Vec<String>,
    admin: Person,
    anna: Person,
    vera: Visitor,
}

impl Cast {
    fn pin(&mut self, name: &str, body: &serde_json::Value) {
        pin(name, body, &mut self.ids);
    }
}

async fn cast(server: Server) -> Cast {
    let mut ids = vec![];
    let credentials = json!({ "email": ADMIN_EMAIL, "password": PASSWORD });
    pin("log_in", &server.client().post("/v1/auth/login", &credentials).await.expect(200).body, &mut ids);
    let admin = server.admin().await;
    let agent = json!({
        "name": "Anna", "email": "Anna@Example.com", "password": PASSWORD, "role": "agent", "status": "away",
        "acceptingChats": true, "maxConcurrentChats": 3, "avatar": "https://example.com/anna.png",
    });
    pin("agent_created", &admin.client.post("/v1/agents", &agent).await.expect(201).body, &mut ids);
    let anna = server.client().log_in("anna@example.com").await;
    let session = json!({
        "name": "Vera", "email": "vera@example.com", "phone": "+49 30 1234", "initialMessage": "Hello",
        "metadata": { "page": "/prices" },
    });
    let vera = server.client().visitor(session).await;
    pin("session", &vera.session, &mut ids);
    Cast { server, ids, admin, anna, vera }
}

each_database!(bodies_of_a_chat_are_as_pinned);
async fn bodies_of_a_chat_are_as_pinned(database: TestDatabase) {
    let mut cast = cast(Server::start(&database).await).await;
    let (anna, vera) = (cast.anna.clone(), cast.vera.clone());
    let chat = format!("/v1/conversations/{}", vera.conversation_id);
    let messages = format!("/v1/threads/{}/events", vera.thread_id);
    cast.pin("conversation_waiting", &vera.conversation().await);
    let status = format!("/v1/agents/{}/status", anna.id);
    let declines = anna.client.put(&status, &json!({ "status": "away", "acceptingChats": false })).await.expect(200);
    cast.pin("agent_status", &declines.body);
    anna.client.put(&status, &json!({ "status": "online", "acceptingChats": true })).await.expect(200);
    wait_for_agent(&vera, &anna.id).await;
    cast.pin("conversation_active", &vera.conversation().await);
    let plain = anna.client.post(&messages, &json!({ "content": "Hello Vera" })).await.expect(201);
    cast.pin("message", &plain.body);
    let full = json!({
        "type": "message", "authorType": "visitor", "content": "I need help", "clientEventId": "m-1",
        "metadata": { "a": [1, 2.5, null, true, "x"] },
    });
    let full = vera.client.post(&format!("{chat}/events"), &full).await.expect(201);
    cast.pin("message_with_all_fields", &full.body);
    let admin = cast.admin.client.clone();
    let give = json!({ "agentId": cast.admin.id, "reason": "knows more" });
    assert_problem(&admin.post(&format!("{chat}/assign"), &give).await, 409, "agent_not_available");
    admin.put(&format!("/v1/agents/{}/status", cast.admin.id), &json!({ "status": "away" })).await.expect(200);
    cast.pin("assigned", &admin.post(&format!("{chat}/assign"), &give).await.expect(200).body);
    let close = json!({ "reason": "answered", "notes": "All is well.\nNext, please." });
    cast.pin("closed", &admin.post(&format!("{chat}/close"), &close).await.expect(200).body);
    cast.pin("thread_events", &vera.client.get(&messages).await.expect(200).body);
    anna.client.put(&status, &json!({ "status": "away" })).await.expect(200);
    cast.pin("reopened", &vera.client.post(&format!("{chat}/reopen"), &json!({})).await.expect(200).body);
    cast.pin("assignments", &anna.client.get(&format!("{chat}/assignments")).await.expect(200).body);
    cast.pin("conversations", &anna.client.get("/v1/conversations").await.expect(200).body);
}

each_database!(bodies_of_agents_and_lists_are_as_pinned);
async fn bodies_of_agents_and_lists_are_as_pinned(database: TestDatabase) {
    let mut cast = cast(Server::start(&database).await).await;
    let admin = cast.admin.client.clone();
    cast.pin("me", &cast.anna.client.get("/v1/auth/me").await.expect(200).body);
    cast.pin("agent", &admin.get(&format!("/v1/agents/{}", cast.anna.id)).await.expect(200).body);
    cast.pin("agents", &admin.get("/v1/agents").await.expect(200).body);
    cast.pin("agents_first_page", &admin.get("/v1/agents?limit=1").await.expect(200).body);
    cast.pin("groups", &admin.get("/v1/groups").await.expect(200).body);
    let messages = format!("/v1/threads/{}/events?limit=1", cast.vera.thread_id);
    let page = admin.get(&messages).await.expect(200).body;
    assert_eq!(page["nextCursor"], json!(page["data"][0]["position"].to_string()));
    cast.pin("no_conversations", &admin.get("/v1/conversations?status=closed").await.expect(200).body);
}

each_database!(problems_are_as_pinned);
async fn problems_are_as_pinned(database: TestDatabase) {
    let mut cast = cast(Server::start(&database).await).await;
    let (admin, anna, vera) = (cast.admin.client.clone(), cast.anna.client.clone(), cast.vera.client.clone());
    let nobody = cast.server.client();
    let chat = format!("/v1/conversations/{}", cast.vera.conversation_id);
    let several = json!({ "name": "", "email": "x", "password": "x", "role": "boss", "maxConcurrentChats": 0 });
    cast.pin("problem_400_fields", &admin.post("/v1/agents", &several).await.expect(400).body);
    let unknown = json!({ "initialMessage": "x", "groupId": NOBODY });
    cast.pin("problem_400_unknown_group", &nobody.post("/v1/widget/session", &unknown).await.expect(400).body);
    cast.pin("problem_400_malformed", &nobody.post("/v1/auth/login", &json!([])).await.expect(400).body);
    cast.pin("problem_401", &nobody.get("/v1/auth/me").await.expect(401).body);
    let wrong = json!({ "email": ADMIN_EMAIL, "password": "wrong password" });
    cast.pin("problem_401_log_in", &nobody.post("/v1/auth/login", &wrong).await.expect(401).body);
    cast.pin("problem_403", &vera.get("/v1/agents").await.expect(403).body);
    cast.pin("problem_404", &vera.get(&format!("/v1/conversations/{NOBODY}")).await.expect(404).body);
    cast.pin("problem_404_route", &nobody.get("/nowhere").await.expect(404).body);
    cast.pin("problem_405", &nobody.get("/v1/auth/login").await.expect(405).body);
    let taken = json!({ "name": "Anna", "email": "ANNA@example.com", "password": PASSWORD });
    cast.pin("problem_409_email", &admin.post("/v1/agents", &taken).await.expect(409).body);
    cast.pin("problem_409_open", &vera.post(&format!("{chat}/reopen"), &json!({})).await.expect(409).body);
    let give = json!({ "agentId": cast.anna.id });
    anna.post(&format!("{chat}/assign"), &give).await.expect(200);
    vera.post(&format!("{chat}/close"), &json!({ "reason": "done" })).await.expect(200);
    let late = json!({ "content": "late" });
    cast.pin("problem_409_closed", &vera.post(&format!("{chat}/events"), &late).await.expect(409).body);
    let thread = format!("/v1/threads/{}/events", cast.vera.thread_id);
    cast.pin("problem_409_closed_thread", &vera.post(&thread, &late).await.expect(409).body);
    let large = json!({ "content": "x".repeat(200_000) });
    cast.pin("problem_413", &vera.post(&thread, &large).await.expect(413).body);
    let typed = vera.send_bytes(reqwest::Method::POST, &thread, Some("text/plain"), b"x".to_vec()).await;
    cast.pin("problem_415", &typed.expect(415).body);
    let keyed = admin.with_header("Idempotency-Key", "k");
    keyed.put(&format!("/v1/agents/{}/status", cast.anna.id), &json!({ "status": "online" })).await.expect(200);
    let other = keyed.put(&format!("/v1/agents/{}/status", cast.anna.id), &json!({ "status": "away" })).await;
    cast.pin("problem_422", &other.expect(422).body);
    let future = admin.with_header("If-Position-At-Least", "999999").get("/v1/agents").await.expect(503);
    assert_eq!(future.header("retry-after"), Some("1"));
    cast.pin("problem_503", &future.body);
}

#[tokio::test]
async fn bodies_of_health_checks_are_as_pinned() {
    let database = harness::TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let mut ids = vec![];
    for (name, path) in [("health", "/health"), ("livez", "/livez"), ("readyz", "/readyz")] {
        let mut body = server.client().get(path).await.expect(200).body;
        if let Some(version) = body.get_mut("version") {
            *version = json!("[version]");
        }
        pin(name, &body, &mut ids);
    }
}
