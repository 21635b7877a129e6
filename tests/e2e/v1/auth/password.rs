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

each_database!(admin_resets_the_password_of_another_agent_whose_sessions_end);
async fn admin_resets_the_password_of_another_agent_whose_sessions_end(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (admin, anna) = (server.admin().await, server.person("agent", "away", 1).await);
    let boss = server.person("supervisor", "away", 1).await;
    let path = format!("/v1/agents/{}/password", anna.id);
    let new = json!({ "newPassword": "a new beginning" });
    for client in [&anna.client, &boss.client] {
        assert_problem(&client.put(&path, &new).await, 403, "forbidden");
    }
    assert_problem(&server.client().put(&path, &new).await, 401, "unauthorized");
    assert_field(&admin.client.put(&path, &json!({ "newPassword": "short" })).await, "newPassword", "8 to 128");
    anna.client.get("/v1/auth/me").await.expect(200);
    admin.client.put(&path, &new).await.expect(204);
    assert_problem(&anna.client.get("/v1/auth/me").await, 401, "unauthorized");
    let log_in = async |password: &str| {
        let credentials = json!({ "email": "agent0@example.com", "password": password });
        server.client().post("/v1/auth/login", &credentials).await.status
    };
    assert_eq!((log_in(PASSWORD).await, log_in("a new beginning").await), (401, 200));
    // A stolen token must not be enough to take over the account that it belongs to.
    let own = format!("/v1/agents/{}/password", admin.id);
    assert_problem(&admin.client.put(&own, &new).await, 403, "forbidden");
    let nobody = "/v1/agents/01890000-0000-7000-8000-00000000dead/password";
    assert_problem(&admin.client.put(nobody, &new).await, 404, "not_found");
    admin.client.delete(&format!("/v1/agents/{}", anna.id)).await.expect(200);
    assert_problem(&admin.client.put(&path, &new).await, 404, "not_found");
}
