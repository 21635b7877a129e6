//! Agents who are deleted, and who come back.

use domain::agent::{Agent, AgentCommand};
use harness::desk::{NOBODY, assert_problem};
use harness::{PASSWORD, Server, TestDatabase, each_database};
use serde_json::json;

use crate::support::{active, agent_id, tell};

each_database!(deleted_agent_comes_back_as_they_were);
async fn deleted_agent_comes_back_as_they_were(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let anna = server.person("agent", "away", 3).await;
    let path = format!("/v1/agents/{}", anna.id);
    let before = admin.get(&path).await.expect(200).body;
    admin.delete(&path).await.expect(200);
    let credentials = json!({ "email": "agent0@example.com", "password": PASSWORD });
    assert_problem(&server.client().post("/v1/auth/login", &credentials).await, 401, "wrong_credentials");
    let after = admin.post(&format!("{path}/restore"), &json!({})).await.expect(200).body;
    for field in ["id", "name", "email", "role", "maxConcurrentChats", "activeChats", "createdAt"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    server.client().post("/v1/auth/login", &credentials).await.expect(200);
    assert_problem(&admin.post(&format!("/v1/agents/{NOBODY}/restore"), &json!({})).await, 404, "not_found");
}

each_database!(deleted_agents_address_is_free_and_needed_for_the_return);
async fn deleted_agents_address_is_free_and_needed_for_the_return(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let anna = server.agent(2).await;
    let visitor = server.visitor("Hello").await;
    active(&visitor.client, &visitor.chat("")).await;
    let path = format!("/v1/agents/{}", anna.id);
    admin.delete(&path).await.expect(200);
    anna.client.get("/v1/auth/me").await.expect(401);
    let chat = visitor.conversation().await;
    assert_eq!((&chat["status"], &chat["queuePosition"]), (&json!("pending"), &json!(1)));
    let thread = format!("/v1/threads/{}/events", visitor.thread_id);
    let last = visitor.client.get(&thread).await.body["data"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["metadata"]["reason"], "agent_deleted");

    let again = json!({ "name": "Anna II", "email": "AGENT0@example.com", "password": PASSWORD });
    admin.post("/v1/agents", &again).await.expect(201);
    let refused = admin.post(&format!("{path}/restore"), &json!({})).await.expect(409);
    assert_eq!(refused.body["code"], "email_taken");
    let all = admin.get("/v1/agents?includeDeleted=true").await.expect(200).body;
    assert_eq!(all["data"].as_array().unwrap().len(), 3);
    assert_eq!(admin.get("/v1/agents").await.body["data"].as_array().unwrap().len(), 2);
}

each_database!(deleted_agent_is_nobody);
async fn deleted_agent_is_nobody(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(2).await;
    let email = anna.client.get("/v1/auth/me").await.expect(200).text("/email").to_owned();
    let credentials = json!({ "email": email, "password": harness::PASSWORD });
    let at = server.app().bus.now();
    tell::<Agent>(&server, agent_id(&anna), AgentCommand::Delete { at }).await;
    for path in ["/v1/auth/me", "/v1/agents", "/v1/groups", "/v1/conversations"] {
        assert_problem(&anna.client.get(path).await, 401, "unauthorized");
    }
    assert_problem(&server.client().post("/v1/auth/login", &credentials).await, 401, "wrong_credentials");
    let path = format!("/v1/agents/{}", anna.id);
    assert_problem(&server.admin().await.client.get(&path).await, 404, "not_found");
    tell::<Agent>(&server, agent_id(&anna), AgentCommand::Restore { at }).await;
    anna.client.get("/v1/auth/me").await.expect(200);
    server.client().log_in(&email).await;
}
