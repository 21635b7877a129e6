//! Changes of one's own password.

use harness::desk::{assert_field, assert_problem};
use harness::{PASSWORD, Server, TestDatabase, each_database};
use serde_json::json;

each_database!(nobody_sets_the_password_of_somebody_else);
async fn nobody_sets_the_password_of_somebody_else(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, ben) = (server.person("agent", "away", 1).await, server.person("agent", "away", 1).await);
    let boss = server.person("supervisor", "away", 1).await;
    let path = format!("/v1/agents/{}", ben.id);
    for client in [&anna.client, &boss.client, &ben.client, &server.admin().await.client] {
        let reply = client.patch(&path, &json!({ "password": "taken over" })).await;
        assert_field(&reply, "password", "is not known");
    }
    let guess = json!({ "currentPassword": "a guess", "newPassword": "taken over now" });
    assert_problem(&anna.client.post("/v1/auth/password", &guess).await, 400, "invalid_request");
    let named = json!({ "agentId": ben.id, "currentPassword": PASSWORD, "newPassword": "taken over now" });
    assert_field(&anna.client.post("/v1/auth/password", &named).await, "agentId", "is not known");
    for email in ["agent0@example.com", "agent1@example.com"] {
        let credentials = json!({ "email": email, "password": PASSWORD });
        server.client().post("/v1/auth/login", &credentials).await.expect(200);
    }
}
