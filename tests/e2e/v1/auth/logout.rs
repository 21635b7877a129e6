//! Sessions that end.

use harness::desk::assert_problem;
use harness::{PASSWORD, Person, Server, TestDatabase, each_database};
use infrastructure::database::{Database, DatabaseOptions};
use serde_json::json;

each_database!(ended_session_is_refused_whether_or_not_the_log_answers);
async fn ended_session_is_refused_whether_or_not_the_log_answers(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, admin) = (server.agent(2).await, server.admin().await);
    anna.client.post("/v1/auth/logout", &json!({})).await.expect(204);
    let other = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    other.execute("ALTER TABLE log_head RENAME TO log_head_away", vec![]).await.unwrap();
    assert_problem(&anna.client.get("/v1/auth/me").await, 401, "unauthorized");
    admin.client.get("/v1/auth/me").await.expect(503);
    other.execute("ALTER TABLE log_head_away RENAME TO log_head", vec![]).await.unwrap();
    admin.client.get("/v1/auth/me").await.expect(200);
    other.close().await;
}

const EMAIL: &str = "agent0@example.com";

/// The same session as another node sees it, which has seen it before.
async fn known_to(node: &Server, person: &Person) -> harness::Client {
    let client = node.client().with_token(person.client.token().unwrap());
    client.get("/v1/auth/me").await.expect(200);
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_out_and_change_of_password_on_one_node_end_tokens_on_the_other_at_once() {
    let Some(database) = TestDatabase::mysql("two nodes").await else { return };
    let (one, other) = (Server::start(&database).await, Server::start(&database).await);
    let first = one.person("agent", "away", 1).await;
    let (second, third) = (one.log_in(EMAIL).await, one.log_in(EMAIL).await);
    let elsewhere = [known_to(&other, &first).await, known_to(&other, &second).await, known_to(&other, &third).await];

    first.client.post("/v1/auth/logout", &json!({})).await.expect(204);
    assert_problem(&elsewhere[0].get("/v1/auth/me").await, 401, "unauthorized");
    elsewhere[1].get("/v1/auth/me").await.expect(200);

    let change = json!({ "currentPassword": PASSWORD, "newPassword": "another password" });
    second.client.post("/v1/auth/password", &change).await.expect(204);
    assert_problem(&elsewhere[2].get("/v1/auth/me").await, 401, "unauthorized");
    elsewhere[1].get("/v1/auth/me").await.expect(200);
}
