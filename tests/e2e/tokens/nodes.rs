//! Sessions that end on one node are over on the others.

use harness::{PASSWORD, Person, Server, TestDatabase};
use serde_json::json;

use crate::desk::assert_problem;

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
