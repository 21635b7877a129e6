//! Requests that nobody decent would send: each gets its 4xx, and changes and reveals nothing.

mod bodies;
mod early;
mod fields;
mod paths;
mod texts;
mod wire;

use harness::{ADMIN_EMAIL, Desk, PASSWORD, Process, Server, TestDatabase, each_database};
use serde_json::{Value, json};

/// Stands wherever people would have written something: it must never be in the log.
pub const MARKER: &str = "Xy7-Geheimnis-q9";

each_database!(wrong_fields_are_refused_by_name);
async fn wrong_fields_are_refused_by_name(database: TestDatabase) {
    let (_server, desk) = open(&database).await;
    let before = everything(&desk).await;
    for endpoint in fields::endpoints(&desk) {
        endpoint.attack().await;
    }
    assert_eq!(everything(&desk).await, before);
}

each_database!(odd_texts_come_back_as_they_were);
async fn odd_texts_come_back_as_they_were(database: TestDatabase) {
    let (_server, desk) = open(&database).await;
    texts::odd_texts_come_back(&desk).await;
    texts::texts_at_their_limit_come_back(&desk).await;
}

each_database!(bad_paths_and_queries_are_refused);
async fn bad_paths_and_queries_are_refused(database: TestDatabase) {
    let (_server, desk) = open(&database).await;
    let before = everything(&desk).await;
    paths::refuse_malformed_ids(&desk).await;
    paths::refuse_bad_queries(&desk).await;
    paths::refuse_foreign_cursors_and_positions(&desk).await;
    assert_eq!(everything(&desk).await, before);
}

each_database!(positions_are_reached_or_given_up);
async fn positions_are_reached_or_given_up(database: TestDatabase) {
    let (_server, desk) = open(&database).await;
    paths::refuse_malformed_positions(&desk).await;
    paths::give_up_on_future_positions(&desk).await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    let database = TestDatabase::sqlite();
    let (_server, desk) = open(&database).await;
    let before = everything(&desk).await;
    bodies::refuse_what_is_no_json_object(&desk).await;
    bodies::refuse_other_media_types(&desk).await;
    bodies::refuse_empty_bodies(&desk).await;
    bodies::refuse_large_bodies(&desk).await;
    assert_eq!(everything(&desk).await, before);
}

#[tokio::test]
async fn unknown_routes_methods_and_keys_are_refused() {
    let database = TestDatabase::sqlite();
    let (_server, desk) = open(&database).await;
    let before = everything(&desk).await;
    paths::refuse_unknown_routes_and_methods(&desk).await;
    paths::refuse_bad_keys(&desk).await;
    assert_eq!(everything(&desk).await, before);
}

#[tokio::test]
async fn broken_http_harms_nobody() {
    let database = TestDatabase::sqlite();
    let (_server, desk) = open(&database).await;
    wire::survive_broken_http(&desk).await;
    everything(&desk).await;
}

each_database!(log_of_the_program_tells_no_secrets_and_no_failures);
async fn log_of_the_program_tells_no_secrets_and_no_failures(database: TestDatabase) {
    let settings =
        [("ADMIN_EMAIL", ADMIN_EMAIL), ("ADMIN_PASSWORD", PASSWORD), ("RUST_LOG", "debug"), ("LOG_FORMAT", "json")];
    let builder =
        settings.into_iter().fold(Process::on(&database), |process, (name, value)| process.setting(name, value));
    let process = builder.start().await;
    let desk = Desk::open(process.client().clone()).await;
    for endpoint in fields::endpoints(&desk) {
        endpoint.attack().await;
    }
    texts::texts_at_their_limit_come_back(&desk).await;
    bodies::refuse_what_is_no_json_object(&desk).await;
    bodies::refuse_large_bodies(&desk).await;
    paths::refuse_malformed_ids(&desk).await;
    paths::refuse_bad_queries(&desk).await;
    paths::refuse_bad_keys(&desk).await;
    wire::survive_broken_http(&desk).await;
    talk_of_secrets(&desk).await;
    process.client().get("/readyz").await.expect(200);
    everything(&desk).await;
    check_log(&process.log(), &desk);
}

/// What is written, and refused, in earnest.
async fn talk_of_secrets(desk: &Desk) {
    for endpoint in fields::endpoints(desk) {
        let token = desk.client.with_token(MARKER);
        token.request(endpoint.method.clone(), &endpoint.path, Some(&endpoint.body)).await;
        endpoint.client.request(endpoint.method.clone(), &endpoint.path, Some(&endpoint.body)).await;
    }
    let session = json!({ "initialMessage": MARKER, "sessionToken": MARKER });
    desk.client.post("/v1/widget/session", &session).await.expect(401);
}

fn check_log(log: &str, desk: &Desk) {
    let requests = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let statuses: Vec<_> = requests.filter_map(|line| line["fields"]["status"].as_u64()).collect();
    assert!(statuses.len() > 1_000, "only {} requests are in the log", statuses.len());
    assert!(statuses.iter().all(|status| *status < 500));
    assert!(!log.to_lowercase().contains("panic"));
    assert!(!log.contains(r#""level":"ERROR""#));
    let tokens = [&desk.admin.client, &desk.agent.client, &desk.visitor.client].map(|client| client.token().unwrap());
    for secret in [MARKER, PASSWORD, "anna@example.com", "$argon2id$"].into_iter().chain(tokens) {
        for form in [secret.to_owned(), hex::encode(secret), hex::encode_upper(secret)] {
            let line = log.lines().find(|line| line.contains(&form));
            assert_eq!(line, None, "{secret} is in the log");
        }
    }
}

async fn open(database: &TestDatabase) -> (Server, Desk) {
    let server = Server::start(database).await;
    let desk = Desk::open(server.client()).await;
    (server, desk)
}

/// Every read that may demand a position.
pub fn reads(desk: &Desk) -> Vec<String> {
    let agent = format!("/v1/agents/{}", desk.agent.id);
    let lists = ["/v1/auth/me", "/v1/agents", "/v1/groups", "/v1/conversations", &agent].map(str::to_owned);
    lists.into_iter().chain([desk.messages(), desk.chat(""), desk.chat("/assignments")]).collect()
}

/// All that can be read, from a server that is well.
async fn everything(desk: &Desk) -> Vec<Value> {
    desk.client.get("/readyz").await.expect(200);
    let mut all = vec![];
    for path in reads(desk) {
        all.push(desk.admin.client.get(&path).await.expect(200).body);
    }
    all
}
