//! The order of checks where a request has several faults, and of a repetition's answer and its effects.

use harness::desk::assert_problem;
use harness::{Client, PASSWORD, Server, TestDatabase, each_database};
use serde_json::{Value, json};

/// A position that no log reaches during the test.
const FAR: &str = "9007199254740991";

fn keyed(client: &Client, key: &str) -> Client {
    client.with_header("Idempotency-Key", key)
}

fn member_ids(group: &Value) -> Vec<&str> {
    group["agentIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect()
}

each_database!(malformed_request_is_refused_before_rights_and_existence_are_looked_at);
async fn malformed_request_is_refused_before_rights_and_existence_are_looked_at(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(2).await.client;
    let (vera, walter) = (server.visitor("Hello").await, server.visitor("Hi").await);
    let hidden = format!("/v1/threads/{}/events", walter.thread_id);
    for (client, path, otherwise) in [
        (&anna, "/v1/agents?includeDeleted=true", (403, "forbidden")),
        (&anna, "/v1/groups?includeDeleted=true", (403, "forbidden")),
        (&anna, "/v1/tags?includeDeleted=true", (403, "forbidden")),
        (&vera.client, hidden.as_str(), (404, "not_found")),
    ] {
        let malformed = client.with_header("If-Position-At-Least", "soon").get(path).await;
        assert_problem(&malformed, 400, "invalid_request");
        assert_eq!(malformed.body["errors"][0]["field"], "If-Position-At-Least", "{path}");
        // Without a wait: the position is out of reach.
        let refused = client.with_header("If-Position-At-Least", FAR).get(path).await;
        assert_problem(&refused, otherwise.0, otherwise.1);
    }
}

each_database!(repeated_removal_from_a_group_is_answered_before_anything_is_executed);
async fn repeated_removal_from_a_group_is_answered_before_anything_is_executed(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let anna = server.person("agent", "away", 3).await;
    let group = admin.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201).body;
    let path = format!("/v1/groups/{}/agents", group["id"].as_str().unwrap());
    let join = json!({ "agentIds": [anna.id] });
    let joined = admin.post(&path, &join).await.expect(200).body;
    let version = format!("\"{}\"", joined["version"]);
    let remover = keyed(&admin, "remove-anna").with_header("If-Match", &version);
    let member = format!("{path}/{}", anna.id);
    let first = remover.delete(&member).await.expect(200);
    admin.post(&path, &join).await.expect(200);
    // The group has moved on: executed again, the repetition would be refused because of its version.
    let again = remover.delete(&member).await.expect(200);
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, Some("true")));
    let now = admin.get(&format!("/v1/groups/{}", group["id"].as_str().unwrap())).await.expect(200).body;
    assert_eq!(member_ids(&now), [anna.id.as_str()]);
}

each_database!(repeated_deletion_of_an_agent_ends_no_later_session);
async fn repeated_deletion_of_an_agent_ends_no_later_session(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let anna = server.person("agent", "away", 3).await;
    let path = format!("/v1/agents/{}", anna.id);
    let deleter = keyed(&admin, "delete-anna");
    deleter.delete(&path).await.expect(200);
    assert_problem(&anna.client.get("/v1/auth/me").await, 401, "unauthorized");
    admin.post(&format!("{path}/restore"), &json!({})).await.expect(200);
    // The sessions from before the deletion stay ended.
    assert_problem(&anna.client.get("/v1/auth/me").await, 401, "unauthorized");
    let back = server.client().log_in("agent0@example.com").await;
    let again = deleter.delete(&path).await.expect(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    back.client.get("/v1/auth/me").await.expect(200);
    server
        .client()
        .post("/v1/auth/login", &json!({ "email": "agent0@example.com", "password": PASSWORD }))
        .await
        .expect(200);
}
