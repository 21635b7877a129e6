//! Requests with an Idempotency-Key may come again, also at the same time.

use std::collections::BTreeSet;

use harness::desk::{NOBODY, assert_problem, wait_for_agent};
use harness::{Client, Reply, Server, TestDatabase, each_database};
use reqwest::Method;
use serde_json::{Value, json};

/// Long enough for requests of nobody in particular.
const KEY: &str = "0192e0c4-7b3e-7a51-8f5e-5f4b3c2d1e0f";

/// A request that changes something, and a body that makes it another one.
struct Write {
    name: &'static str,
    client: Client,
    method: Method,
    path: String,
    body: Value,
    other: Value,
}

impl Write {
    async fn send(&self, body: &Value) -> Reply {
        self.client.with_header("Idempotency-Key", KEY).request(self.method.clone(), &self.path, Some(body)).await
    }
}

/// One write of each kind, each on a chat of its own. An agent is online: what waits is soon served, and the read models
/// say something else then.
async fn writes(server: &Server) -> Vec<Write> {
    let (admin, anna) = (server.admin().await, server.agent(20).await);
    let ben = server.person("agent", "away", 20).await;
    let post = |name, client: &Client, path: &str, body, other| Write {
        name,
        client: client.clone(),
        method: Method::POST,
        path: path.to_owned(),
        body,
        other,
    };
    let mut chats = vec![];
    for _ in 0..6 {
        let chat = server.visitor("Hello").await;
        wait_for_agent(&chat, &anna.id).await;
        chats.push(chat);
    }
    let close = json!({ "reason": "done" });
    for (chat, end) in [(&chats[0], "/close"), (&chats[1], "/close")] {
        chat.client.post(&format!("/v1/conversations/{}{end}", chat.conversation_id), &close).await.expect(200);
    }
    let path = |chat: usize, end: &str| format!("/v1/conversations/{}{end}", chats[chat].conversation_id);
    let (says, other) = (json!({ "content": "one" }), json!({ "content": "two" }));
    let numbered = json!({ "content": "one", "clientEventId": "m-1" });
    let hired = |name: &str| json!({ "name": name, "email": "new@example.com", "password": harness::PASSWORD });
    let returns = |text: &str| json!({ "initialMessage": text, "sessionToken": chats[0].client.token() });
    let status = Write {
        method: Method::PUT,
        ..post(
            "status",
            &ben.client,
            &format!("/v1/agents/{}/status", ben.id),
            json!({ "status": "offline" }),
            json!({ "status": "away" }),
        )
    };
    let thread = format!("/v1/threads/{}/events", chats[2].thread_id);
    let numbered_thread = format!("/v1/threads/{}/events", chats[5].thread_id);
    vec![
        post("agent", &admin.client, "/v1/agents", hired("Cleo"), hired("Dora")),
        status,
        post("session", &server.client(), "/v1/widget/session", says_first("one"), says_first("two")),
        post("session again", &server.client(), "/v1/widget/session", returns("one"), returns("two")),
        post("reopen", &chats[1].client, &path(1, "/reopen"), json!({}), json!({ "x": 1 })),
        post("message", &chats[2].client, &thread, says.clone(), other.clone()),
        post("numbered message", &chats[5].client, &numbered_thread, numbered, other.clone()),
        post("message to a chat", &chats[3].client, &path(3, "/events"), says, other),
        post("close", &anna.client, &path(4, "/close"), close, json!({ "reason": "other" })),
        post(
            "assign",
            &admin.client,
            &path(3, "/assign"),
            json!({ "agentId": anna.id, "reason": "one" }),
            json!({ "agentId": anna.id, "reason": "two" }),
        ),
    ]
}

fn says_first(text: &str) -> Value {
    json!({ "initialMessage": text, "name": "Vera" })
}

/// The commands of people in the log after a position.
async fn commands(server: &Server, after: i64) -> BTreeSet<String> {
    let events = server.app().log.read_after(after, 1_000).await.unwrap();
    let events = events.iter().filter(|event| !event.header.actor.starts_with("system:"));
    events.map(|event| event.header.command_id.to_string()).collect()
}

async fn head(server: &Server) -> i64 {
    server.app().log.head().await.unwrap().position
}

#[track_caller]
fn assert_same(first: &Reply, again: &Reply, name: &str) {
    assert_eq!((again.status, &again.body), (first.status, &first.body), "{name}");
    assert_eq!(again.header("event-position"), first.header("event-position"), "{name}");
}

each_database!(repeated_write_is_made_once_and_gets_the_first_answer);
async fn repeated_write_is_made_once_and_gets_the_first_answer(database: TestDatabase) {
    let server = Server::start(&database).await;
    let writes = writes(&server).await;
    let mut firsts = vec![];
    for write in writes.iter().filter(|write| write.name != "assign") {
        let before = head(&server).await;
        let first = write.send(&write.body).await;
        assert!(first.status < 300, "{}: {}", write.name, first.body);
        assert_eq!(first.header("idempotent-replayed"), None, "{}", write.name);
        let again = write.send(&write.body).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{}", write.name);
        assert_same(&first, &again, write.name);
        assert_eq!(commands(&server, before).await.len(), 1, "{}", write.name);
        firsts.push((write, first));
    }
    let before = head(&server).await;
    for (write, first) in firsts {
        // Much has changed since.
        assert_same(&first, &write.send(&write.body).await, write.name);
        let other = write.send(&write.other).await;
        match write.name {
            "reopen" => assert_problem(&other, 400, "invalid_request"),
            _ => assert_problem(&other, 422, "idempotency_key_reused"),
        }
    }
    assert_eq!(commands(&server, before).await.len(), 0);
}

each_database!(write_that_changes_nothing_is_remembered_too);
async fn write_that_changes_nothing_is_remembered_too(database: TestDatabase) {
    let server = Server::start(&database).await;
    let writes = writes(&server).await;
    let assign = writes.iter().find(|write| write.name == "assign").unwrap();
    let before = head(&server).await;
    let first = assign.send(&assign.body).await.expect(200);
    assert_same(&first, &assign.send(&assign.body).await, "assign");
    assert_eq!(commands(&server, before).await.len(), 0, "the chat was at this agent already");
    assert_problem(&assign.send(&assign.other).await, 422, "idempotency_key_reused");
}

each_database!(sixteen_at_once_are_one_write_with_sixteen_equal_answers);
async fn sixteen_at_once_are_one_write_with_sixteen_equal_answers(database: TestDatabase) {
    let server = Server::start(&database).await;
    for write in writes(&server).await.iter().filter(|write| write.name != "assign") {
        let before = head(&server).await;
        let replies = futures::future::join_all((0..16).map(|_| write.send(&write.body))).await;
        let originals = replies.iter().filter(|reply| reply.header("idempotent-replayed").is_none()).count();
        assert_eq!(originals, 1, "{}", write.name);
        for reply in &replies {
            assert!(reply.status < 300, "{}: {}", write.name, reply.body);
            assert_same(&replies[0], reply, write.name);
        }
        assert_eq!(commands(&server, before).await.len(), 1, "{}", write.name);
    }
}

each_database!(sixteen_at_once_with_two_bodies_are_one_write);
async fn sixteen_at_once_with_two_bodies_are_one_write(database: TestDatabase) {
    let server = Server::start(&database).await;
    let writes = writes(&server).await;
    for write in writes.iter().filter(|write| ["message", "close", "session", "agent"].contains(&write.name)) {
        let before = head(&server).await;
        let bodies = (0..16).map(|number| if number % 2 == 0 { &write.body } else { &write.other });
        let replies = futures::future::join_all(bodies.map(|body| write.send(body))).await;
        let taken = replies.iter().filter(|reply| reply.status < 300).count();
        assert_eq!(taken, 8, "{}: all with one of the bodies", write.name);
        for refused in replies.iter().filter(|reply| reply.status >= 300) {
            assert_problem(refused, 422, "idempotency_key_reused");
        }
        assert_eq!(commands(&server, before).await.len(), 1, "{}", write.name);
    }
}

each_database!(keys_of_different_callers_do_not_meet);
async fn keys_of_different_callers_do_not_meet(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(5).await;
    let (one, two) = (server.visitor("one").await, server.visitor("two").await);
    for visitor in [&one, &two] {
        wait_for_agent(visitor, &anna.id).await;
    }
    let body = json!({ "content": "same" });
    let path = format!("/v1/threads/{}/events", one.thread_id);
    let mut ids = BTreeSet::new();
    for (client, path) in [
        (&one.client, path.clone()),
        (&anna.client, path),
        (&two.client, format!("/v1/threads/{}/events", two.thread_id)),
    ] {
        let sent = client.with_header("Idempotency-Key", "k").post(&path, &body).await.expect(201);
        assert_eq!(sent.header("idempotent-replayed"), None);
        ids.insert(sent.text("/id").to_owned());
    }
    assert_eq!(ids.len(), 3);
    // The key of one request is not that of another, to another path.
    let path = format!("/v1/conversations/{}/events", one.conversation_id);
    let keyed = one.client.with_header("Idempotency-Key", "k");
    assert_problem(&keyed.post(&path, &body).await, 422, "idempotency_key_reused");
}

each_database!(refused_request_is_not_remembered);
async fn refused_request_is_not_remembered(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.person("agent", "away", 5).await;
    let vera = server.client().visitor(json!({ "initialMessage": "Hello" })).await;
    let chat = format!("/v1/conversations/{}", vera.conversation_id);
    let close = json!({ "reason": "done" });
    let keyed = anna.client.with_header("Idempotency-Key", "k-1");
    assert_problem(&keyed.post(&format!("{chat}/close"), &close).await, 403, "forbidden");
    anna.client.post(&format!("{chat}/assign"), &json!({ "agentId": anna.id })).await.expect(200);
    let closed = keyed.post(&format!("{chat}/close"), &close).await.expect(200);
    assert_eq!(closed.header("idempotent-replayed"), None);

    let keyed = vera.client.with_header("Idempotency-Key", "k-2");
    let message = json!({ "content": "late" });
    assert_problem(&keyed.post(&format!("{chat}/events"), &message).await, 409, "chat_closed");
    vera.client.post(&format!("{chat}/reopen"), &json!({})).await.expect(200);
    keyed.post(&format!("{chat}/events"), &message).await.expect(201);

    let keyed = server.client().with_header("Idempotency-Key", KEY);
    let session = json!({ "initialMessage": "x", "groupId": NOBODY });
    assert_problem(&keyed.post("/v1/widget/session", &session).await, 400, "invalid_request");
    keyed.post("/v1/widget/session", &json!({ "initialMessage": "x" })).await.expect(201);

    let admin = server.admin().await.client.with_header("Idempotency-Key", "k-3");
    let taken = json!({ "name": "x", "email": harness::ADMIN_EMAIL, "password": harness::PASSWORD });
    assert_problem(&admin.post("/v1/agents", &taken).await, 409, "email_taken");
    let free = json!({ "name": "x", "email": "free@example.com", "password": harness::PASSWORD });
    admin.post("/v1/agents", &free).await.expect(201);
}

each_database!(repetition_shows_no_chat_that_was_taken_away_since);
async fn repetition_shows_no_chat_that_was_taken_away_since(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let group = admin.post("/v1/groups", &json!({ "name": "Elsewhere" })).await.expect(201).text("/id").to_owned();
    let tag = admin.post("/v1/tags", &json!({ "name": "urgent" })).await.expect(201).text("/id").to_owned();
    let mut agents = vec![];
    for _ in 0..3 {
        agents.push(server.person("agent", "away", 20).await);
    }
    let ann = &agents[0];
    let vera = server.client().visitor(json!({ "initialMessage": "Hello", "name": "Vera" })).await;
    let assign = async |agent: &harness::Person| {
        admin.post(&vera.chat("/assign"), &json!({ "agentId": agent.id })).await.expect(200);
    };
    assign(ann).await;
    let changes: [(&str, Value); 3] =
        [("/tags", json!({ "tagId": tag })), ("/close", json!({ "reason": "done" })), ("/reopen", json!({}))];
    let mut sent = vec![];
    for (number, (end, body)) in changes.into_iter().enumerate() {
        // Nobody waits for the views, so that no answer is kept.
        let keyed =
            ann.client.with_header("Idempotency-Key", &format!("k-{number}")).with_header("Prefer", "respond-async");
        keyed.post(&vera.chat(end), &body).await.expect(200);
        keyed.post(&vera.chat(end), &body).await.expect(200);
        sent.push((keyed, end, body));
    }
    admin.post(&vera.chat("/transfer"), &json!({ "groupId": group })).await.expect(200);
    for other in &agents[1..] {
        assign(other).await;
    }
    let card = json!({ "initialMessage": "again", "name": "Vera Secret", "sessionToken": vera.client.token() });
    server.client().post("/v1/widget/session", &card).await.expect(201);
    assert_problem(&ann.client.get(&vera.chat("")).await, 404, "not_found");
    for (keyed, end, body) in sent {
        let reply = keyed.post(&vera.chat(end), &body).await;
        assert!(!reply.body.to_string().contains("Secret"), "{end}: {}", reply.body);
        assert_eq!(reply.status, 404, "{end}: {}", reply.body);
    }
}

each_database!(repetition_shows_nothing_that_was_deleted_since);
async fn repetition_shows_nothing_that_was_deleted_since(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (admin, boss) = (server.admin().await.client, server.person("supervisor", "away", 1).await.client);
    let agent = server.person("agent", "away", 1).await.id;
    let group = admin.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201).text("/id").to_owned();
    let tag = admin.post("/v1/tags", &json!({ "name": "urgent" })).await.expect(201).text("/id").to_owned();
    let changes = [
        (Method::PUT, format!("/v1/agents/{agent}"), "/status", json!({ "status": "offline" })),
        (Method::PATCH, format!("/v1/groups/{group}"), "", json!({ "name": "Support" })),
        (Method::PATCH, format!("/v1/tags/{tag}"), "", json!({ "name": "very urgent" })),
    ];
    for (number, (method, path, end, body)) in changes.into_iter().enumerate() {
        let path_of_change = format!("{path}{end}");
        let headers = |client: &Client| {
            client.with_header("Idempotency-Key", &format!("k-{number}")).with_header("Prefer", "respond-async")
        };
        let keyed = headers(&boss);
        keyed.request(method.clone(), &path_of_change, Some(&body)).await.expect(200);
        admin.delete(&path).await.expect(200);
        assert_problem(&keyed.request(method, &path_of_change, Some(&body)).await, 404, "not_found");
    }
}

each_database!(repeated_bodies_are_compared_by_their_values);
async fn repeated_bodies_are_compared_by_their_values(database: TestDatabase) {
    let server = Server::start(&database).await;
    let send = async |body: &str| {
        let client = server.client().with_header("Idempotency-Key", KEY);
        client.send_bytes(Method::POST, "/v1/widget/session", Some("application/json"), body.as_bytes().to_vec()).await
    };
    let first =
        send(r#"{"name":"Vera","initialMessage":"Hello","metadata":{"a":1,"b":[true,null]}}"#).await.expect(201);
    let same = [
        r#"{"metadata":{"b":[true,null],"a":1},"initialMessage":"Hello","name":"Vera"}"#,
        "{ \"name\" : \"Vera\",\r\n\t\"initialMessage\":\"\\u0048ello\", \"metadata\": {\"a\": 1, \"b\": [ true , null ] } }\n",
    ];
    for body in same {
        let again = send(body).await.expect(201);
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{body}");
        assert_eq!(again.body["conversationId"], first.body["conversationId"]);
        assert_eq!(again.header("location"), first.header("location"));
    }
    let other = [
        r#"{"name":"Vera","initialMessage":"Hello","metadata":{"a":1,"b":[null,true]}}"#,
        r#"{"name":"Vera","initialMessage":"Hello","metadata":{"a":"1","b":[true,null]}}"#,
        r#"{"name":"Vera","initialMessage":"hello","metadata":{"a":1,"b":[true,null]}}"#,
        r#"{"name":"Vera","initialMessage":"Hello"}"#,
    ];
    for body in other {
        assert_problem(&send(body).await, 422, "idempotency_key_reused");
    }
}

each_database!(everything_created_is_found_at_its_location);
async fn everything_created_is_found_at_its_location(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (admin, chat) = (server.admin().await, server.visitor("Hello").await);
    let agent = json!({ "name": "Ida", "email": "ida@example.com", "password": "correct horse" });
    let created = [
        ("/v1/agents".to_owned(), &admin.client, agent),
        ("/v1/groups".to_owned(), &admin.client, json!({ "name": "Sales" })),
        ("/v1/tags".to_owned(), &admin.client, json!({ "name": "Urgent" })),
        ("/v1/widget/session".to_owned(), &admin.client, json!({ "initialMessage": "Hello" })),
        (format!("/v1/threads/{}/events", chat.thread_id), &chat.client, json!({ "content": "Hello?" })),
        (format!("/v1/conversations/{}/events", chat.conversation_id), &chat.client, json!({ "content": "There?" })),
    ];
    for (path, client, body) in created {
        let reply = client.post(&path, &body).await.expect(201);
        // Below any path of a proxy.
        let base = reqwest::Url::parse(&format!("http://proxy.example/chat{path}")).unwrap();
        let place = base.join(reply.header("location").unwrap()).unwrap();
        let found = client.get(place.path().strip_prefix("/chat").unwrap()).await.expect(200).body;
        let id = ["conversationId", "id"].into_iter().find_map(|name| reply.body[name].as_str()).unwrap();
        assert!(found.to_string().contains(id), "{path}: {found}");
    }
}
