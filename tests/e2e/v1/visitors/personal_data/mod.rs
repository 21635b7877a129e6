//! A person is forgotten: nothing of them is left in any table, and nothing brings it back.

mod concurrent;
mod grep;
mod interrupted;

use std::path::Path;
use std::process::Output;

use harness::desk::wait_for_agent;
use harness::{Client, DatabaseKind, Person, Server, TestDatabase, each_database, run_on};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::sql_args;
use serde_json::{Value, json};

use grep::{found_in, found_in_files};

/// What the person is known by, in the forms in which it may be kept. None of it is said by anybody else.
const TRACES: [&str; 13] = [
    "Zenobia",
    "zenobia",
    "Quux",
    "quux",
    "5550199",
    "xylophagous",
    "kettledrum",
    "zanzibar",
    "vexillology",
    "ombudsman",
    "quu*",
    "xyl*",
    "omb*",
];

const AGENT_TEXT: &str = "Good day, how can I help?";

pub fn run(database: &TestDatabase, words: &[&str]) -> Output {
    run_on(database, words, &[])
}

pub fn ok(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

pub fn verdict(database: &TestDatabase, words: &[&str]) -> Value {
    serde_json::from_str(&ok(run(database, words))).unwrap()
}

struct Customer {
    id: String,
    client: Client,
    token: String,
    /// The closed one, and the open one.
    chats: [String; 2],
    threads: [String; 2],
}

pub fn hello(token: Option<&str>) -> Value {
    let mut body = json!({
        "name": "Zenobia Quux", "email": "zenobia.quux@example.com", "phone": "+49 171 5550199",
        "initialMessage": "My beetle is xylophagous", "metadata": { "page": "/kettledrum" },
    });
    if let Some(token) = token {
        body["sessionToken"] = json!(token);
        body["name"] = json!("Zenobia Ombudsman-Quux");
        body["initialMessage"] = json!("An ombudsman, please");
    }
    body
}

/// Somebody with a closed chat, in which an agent has answered, and an open one.
async fn customer(server: &Server, agent: &Person) -> Customer {
    let keyed = server.client().with_header("Idempotency-Key", "a key that nobody guesses");
    let first = keyed.post("/v1/widget/session", &hello(None)).await.expect(201);
    let token = first.text("/sessionToken").to_owned();
    let client = server.client().with_token(token.clone());
    let (chat, thread) = (first.text("/conversationId").to_owned(), first.text("/threadId").to_owned());
    let say =
        json!({ "content": "xylophagous, I say", "clientEventId": "zanzibar-1", "metadata": { "a": "kettledrum" } });
    client.post(&format!("/v1/threads/{thread}/events"), &say).await.expect(201);
    let admin = server.admin().await.client;
    let take = json!({ "agentId": agent.id });
    let keyed = admin.with_header("Idempotency-Key", "assigned");
    keyed.post(&format!("/v1/conversations/{chat}/assign"), &take).await.expect(200);
    let answer = json!({ "content": AGENT_TEXT, "clientEventId": "agent-1" });
    agent.client.post(&format!("/v1/threads/{thread}/events"), &answer).await.expect(201);
    let bye = json!({ "reason": "vexillology" });
    client.post(&format!("/v1/conversations/{chat}/close"), &bye).await.expect(200);
    let second = server.client().post("/v1/widget/session", &hello(Some(&token))).await.expect(201);
    let other = (second.text("/conversationId").to_owned(), second.text("/threadId").to_owned());
    assert_ne!(other.0, chat);
    let mut renamed = hello(Some(&token));
    renamed["name"] = json!("Zenobia Quux the Younger");
    let back = server.client().post("/v1/widget/session", &renamed).await.expect(201);
    assert_eq!(back.text("/conversationId"), other.0);
    let id = first.text("/visitorId").to_owned();
    Customer { id, client, token, chats: [chat, other.0], threads: [thread, other.1] }
}

pub fn personal_data(id: &str) -> String {
    format!("/v1/visitors/{id}/personal-data")
}

pub async fn traces(database: &TestDatabase) -> Vec<String> {
    found_in(database, &TRACES).await
}

/// Nothing of the person in any column of any table, and the log is whole.
pub async fn assert_forgotten(database: &TestDatabase) {
    assert_eq!(traces(database).await, Vec::<String>::new());
    let verified = verdict(database, &["audit", "verify", "--json"]);
    assert_eq!(verified["whole"], true, "{verified}");
}

/// The answers that are kept for requests which have changed the visitor.
async fn kept_answers(database: &TestDatabase, visitor_id: &str) -> i64 {
    const SQL: &str = "SELECT COUNT(*) AS number FROM idempotent_responses r \
                       JOIN events e ON e.command_id = r.command_id WHERE e.aggregate_id = ?";
    let store = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    let row = store.fetch_optional(SQL, sql_args![visitor_id]).await.unwrap().unwrap();
    store.close().await;
    row.int("number").unwrap()
}

fn export(database: &TestDatabase, file: &Path) -> String {
    ok(run(database, &["audit", "export", "--output", file.to_str().unwrap()]));
    std::fs::read_to_string(file).unwrap()
}

fn prove(database: &TestDatabase, file: &Path) -> Value {
    verdict(database, &["audit", "verify", "--json", "--file", file.to_str().unwrap()])
}

each_database!(person_is_gone_from_every_table_and_does_not_come_back);
async fn person_is_gone_from_every_table_and_does_not_come_back(database: TestDatabase) {
    let server = Server::start(&database).await;
    let agent = server.agent(3).await;
    let person = customer(&server, &agent).await;
    let before = traces(&database).await;
    for table in ["events", "conversations", "thread_events", "search_words", "idempotent_responses"] {
        assert!(
            before.iter().any(|found| found.starts_with(&format!("{table}."))),
            "{table} holds nothing: {before:?}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    assert!(export(&database, &old).contains("Zenobia"));

    assert!(kept_answers(&database, &person.id).await > 0);

    let admin = server.admin().await.client;
    let supervisor = server.person("supervisor", "offline", 1).await;
    supervisor.client.delete(&personal_data(&person.id)).await.expect(403);
    admin.delete(&personal_data("018f0000-0000-7000-8000-000000000000")).await.expect(404);
    let done = admin.delete(&personal_data(&person.id)).await.expect(200);
    assert_eq!(done.body["closedChat"], true);
    assert_eq!(done.body["messages"], 4, "{}", done.body);
    let (messages, starts, reasons, introductions, to_the_open_chat) = (4, 2, 1, 3, 1);
    let payloads = messages + starts + reasons + introductions + to_the_open_chat;
    assert_eq!(done.body["payloads"], payloads, "{}", done.body);
    assert_eq!((&done.body["offTheDisk"], &done.body["readModels"]), (&json!(true), &json!(true)));
    assert_eq!(kept_answers(&database, &person.id).await, 0);
    assert_forgotten(&database).await;
    if database.kind() == DatabaseKind::Sqlite {
        assert_eq!(found_in_files(database.folder(), &TRACES), Vec::<String>::new());
    }

    let again = admin.delete(&personal_data(&person.id)).await.expect(200);
    assert_eq!((&again.body["payloads"], &again.body["closedChat"]), (&json!(0), &json!(false)));
    assert!(!export(&database, &new).contains("Zenobia"));
    assert_eq!(prove(&database, &old)["erased"], 0, "an export of before proves itself as ever");
    let proved = prove(&database, &new);
    assert_eq!((&proved["whole"], &proved["erased"]), (&json!(true), &json!(payloads)), "{proved}");

    ok(run(&database, &["replay", "--verify"]));
    ok(run(&database, &["replay"]));
    ok(run(&database, &["replay", "--verify"]));
    assert_forgotten(&database).await;
    server.stop().await;
    let server = Server::start(&database).await;
    let agent = server.log_in("agent0@example.com").await;
    for (chat, thread) in person.chats.iter().zip(&person.threads) {
        let conversation = agent.client.get(&format!("/v1/conversations/{chat}")).await.expect(200).body;
        assert_eq!(conversation["status"], "closed");
        assert_eq!(conversation["visitor"]["name"], Value::Null);
        let events = agent.client.get(&format!("/v1/threads/{thread}/events?limit=100")).await.expect(200).body;
        let of_visitor = events["data"].as_array().unwrap().iter().filter(|event| event["authorType"] == "visitor");
        assert!(of_visitor.clone().count() > 0);
        assert!(of_visitor.clone().all(|event| event["content"] == "[erased]"), "{events}");
    }
    assert_forgotten(&database).await;
    ok(run(&database, &["replay", "--verify"]));
}

each_database!(who_does_not_wait_is_told_that_it_is_not_over);
async fn who_does_not_wait_is_told_that_it_is_not_over(database: TestDatabase) {
    let server = Server::start(&database).await;
    let person = server.visitor("Zenobia").await;
    let admin = server.admin().await.client;
    let hasty = admin.with_header("Prefer", "respond-async");
    let begun = hasty.delete(&personal_data(&person.id)).await.expect(200).body;
    assert_eq!((&begun["readModels"], &begun["offTheDisk"]), (&json!(false), &json!(false)), "{begun}");
    let done = admin.delete(&personal_data(&person.id)).await.expect(200).body;
    assert_eq!((&done["readModels"], &done["offTheDisk"], &done["payloads"]), (&json!(true), &json!(true), &json!(0)));
    assert_eq!(found_in(&database, &["Zenobia"]).await, Vec::<String>::new());
}

each_database!(who_was_erased_is_somebody_else_when_they_come_again);
async fn who_was_erased_is_somebody_else_when_they_come_again(database: TestDatabase) {
    let server = Server::start(&database).await;
    let agent = server.agent(3).await;
    let person = customer(&server, &agent).await;
    let admin = server.admin().await.client;
    admin.delete(&personal_data(&person.id)).await.expect(200);
    let thread = format!("/v1/threads/{}/events", person.threads[1]);
    person.client.get(&thread).await.expect(401);
    person.client.post(&thread, &json!({ "content": "xylophagous" })).await.expect(401);
    server.client().post("/v1/widget/session", &hello(Some(&person.token))).await.expect(401);
    let keyed = server.client().with_header("Idempotency-Key", "a key that nobody guesses");
    let mut other = hello(None);
    other["initialMessage"] = json!("Nobody knows whether it is the same request");
    for body in [hello(None), other] {
        let gone = keyed.post("/v1/widget/session", &body).await.expect(410);
        assert_eq!(gone.body["code"], "visitor_erased", "{}", gone.body);
    }
    for chat in &person.chats {
        let reopened = admin.post(&format!("/v1/conversations/{chat}/reopen"), &json!({})).await.expect(409);
        assert_eq!(reopened.body["code"], "visitor_erased");
    }
    assert_forgotten(&database).await;
    let found = admin.get("/v1/conversations?search=zenobia").await.expect(200);
    assert_eq!(found.body["data"], json!([]));
    let new = server.client().post("/v1/widget/session", &hello(None)).await.expect(201);
    assert_ne!(new.text("/visitorId"), person.id);
    let kept = admin.get(&format!("/v1/threads/{}/events?limit=100", person.threads[0])).await.expect(200);
    assert!(kept.body["data"].as_array().unwrap().iter().any(|event| event["content"] == AGENT_TEXT));
}

each_database!(all_that_is_known_is_handed_out);
async fn all_that_is_known_is_handed_out(database: TestDatabase) {
    let server = Server::start(&database).await;
    let agent = server.agent(3).await;
    let person = customer(&server, &agent).await;
    let admin = server.admin().await.client;
    let tag = admin.post("/v1/tags", &json!({ "name": "Beetles" })).await.expect(201);
    let tag = json!({ "tagId": tag.text("/id") });
    admin.post(&format!("/v1/conversations/{}/tags", person.chats[1]), &tag).await.expect(200);
    person.client.get(&personal_data(&person.id)).await.expect(403);
    agent.client.get(&personal_data(&person.id)).await.expect(403);
    admin.get(&personal_data("018f0000-0000-7000-8000-000000000000")).await.expect(404);
    let noted = json!({ "reason": "answered", "notes": "collects beetles" });
    admin.post(&format!("/v1/conversations/{}/close", person.chats[1]), &noted).await.expect(200);
    let data = admin.get(&personal_data(&person.id)).await.expect(200).body;
    assert_eq!(data["profile"]["name"], "Zenobia Quux the Younger");
    let kinds = |facts: &Value| -> Vec<String> {
        facts.as_array().unwrap().iter().map(|fact| fact["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        kinds(&data["history"]),
        ["registered", "chat_opened", "chat_ended", "reintroduced", "chat_opened", "reintroduced", "chat_ended",]
    );
    assert_eq!(data["history"][0]["name"], "Zenobia Quux", "an earlier name is theirs, too");
    let [first, second] = [0, 1].map(|number| &data["conversations"][number]);
    assert_eq!((&first["id"], &second["id"]), (&json!(person.chats[0]), &json!(person.chats[1])));
    let facts = kinds(&first["history"]);
    assert!(facts.contains(&"assigned".to_owned()) && facts.last().is_some_and(|last| last == "closed"), "{facts:?}");
    // The router assigns the chat when it gets to it: before or after what the others do.
    let done: Vec<_> = second["history"].as_array().unwrap().iter().filter(|fact| fact["type"] != "assigned").collect();
    let [started, introduced, tagged, closed] = done[..] else { panic!("{done:?}") };
    assert_eq!(started["type"], "started");
    assert_eq!((&introduced["type"], &introduced["name"]), (&json!("visitor_introduced"), &data["profile"]["name"]));
    assert_eq!((&tagged["tag"], &closed["notes"]), (&json!("Beetles"), &noted["notes"]));
    let texts: Vec<_> = first["events"].as_array().unwrap().iter().filter(|event| event["type"] == "message").collect();
    let said: Vec<_> = texts.iter().map(|event| event["content"].as_str().unwrap()).collect();
    assert_eq!(said, ["My beetle is xylophagous", "xylophagous, I say", AGENT_TEXT]);
    assert_eq!(texts[0]["metadata"], json!({ "page": "/kettledrum" }));

    admin.delete(&personal_data(&person.id)).await.expect(200);
    let data = admin.get(&personal_data(&person.id)).await.expect(200).body;
    assert_eq!((&data["erased"], &data["profile"]), (&json!(true), &json!({})));
    let left = data.to_string();
    assert!(TRACES.iter().all(|trace| !left.contains(trace)), "{left}");
    assert!(left.contains(AGENT_TEXT) && left.contains("[erased]"));
}

each_database!(operator_erases_with_and_without_a_server);
async fn operator_erases_with_and_without_a_server(database: TestDatabase) {
    let server = Server::start(&database).await;
    let agent = server.agent(3).await;
    let person = customer(&server, &agent).await;
    let asked = run(&database, &["erase-visitor", &person.id]);
    assert_eq!(asked.status.code(), Some(2), "{asked:?}");
    assert!(!traces(&database).await.is_empty());
    let unknown = run(&database, &["erase-visitor", "--yes", "018f0000-0000-7000-8000-000000000000"]);
    assert_eq!(unknown.status.code(), Some(1), "{unknown:?}");
    let done = verdict(&database, &["erase-visitor", "--yes", "--json", &person.id]);
    assert_eq!((&done["messages"], &done["readModels"]), (&json!(4), &json!(true)), "{done}");
    assert_forgotten(&database).await;
    person.client.get(&format!("/v1/threads/{}/events", person.threads[1])).await.expect(401);
    // The server goes on, with what the other process has appended.
    let other = server.visitor("Is anybody there?").await;
    wait_for_agent(&other, &agent.id).await;

    let keyed = server.client().with_header("Idempotency-Key", "another key that nobody guesses");
    let next = keyed.post("/v1/widget/session", &hello(None)).await.expect(201);
    let id = next.text("/visitorId").to_owned();
    server.stop().await;
    assert!(!traces(&database).await.is_empty());
    let told = ok(run(&database, &["erase-visitor", "--yes", &id]));
    assert!(told.contains("replaced 3 payloads (1 messages), closed the open chat"), "{told}");
    assert_forgotten(&database).await;
    if database.kind() == DatabaseKind::Sqlite {
        assert_eq!(found_in_files(database.folder(), &TRACES), Vec::<String>::new());
    }
    ok(run(&database, &["replay", "--verify"]));
}
