//! Chats that are given to an agent, or taken.

use harness::desk::{assert_problem, wait_for_agent};
use harness::{Server, TestDatabase, each_database};
use serde_json::{Value, json};

use crate::support::{leave_default_group, wait_for_agents};

each_database!(supervisor_may_exceed_a_limit_and_agents_may_not);
async fn supervisor_may_exceed_a_limit_and_agents_may_not(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(1).await;
    let boss = server.person("supervisor", "offline", 1).await;
    let first = server.visitor("one").await;
    wait_for_agents(std::slice::from_ref(&first), 1).await;
    let second = server.visitor("two").await;
    let path = format!("/v1/conversations/{}/assign", second.conversation_id);
    let body = json!({ "agentId": anna.id });
    let refused = anna.client.post(&path, &body).await.expect(409);
    assert_eq!(refused.body["code"], "agent_at_capacity");
    boss.client.post(&path, &body).await.expect(200);
    let path = format!("/v1/conversations/{}/assignments", second.conversation_id);
    let made = boss.client.get(&path).await.expect(200).body["data"][0]["assignment"].clone();
    assert_eq!(
        (&made["kind"], &made["over_limit"], &made["overLimit"]),
        (&json!("manual"), &Value::Null, &json!(true))
    );
    assert_eq!(made["by"], json!(boss.id));
}

each_database!(supervisors_choice_for_a_waiting_chat_lasts);
async fn supervisors_choice_for_a_waiting_chat_lasts(database: TestDatabase) {
    let server = Server::start(&database).await;
    let boss = server.person("supervisor", "away", 5).await;
    let visitor = server.visitor("Hello").await;
    boss.client.post(&visitor.chat("/assign"), &json!({ "agentId": boss.id })).await.expect(200);
    // Everything that makes the router look again.
    let anna = server.agent(5).await;
    for status in ["away", "online"] {
        let path = format!("/v1/agents/{}/status", anna.id);
        anna.client.put(&path, &json!({ "status": status })).await.expect(200);
    }
    let next = server.visitor("Next").await;
    wait_for_agent(&next, &anna.id).await;
    assert_eq!(visitor.conversation().await["assignedAgentId"], json!(boss.id));
    let made = boss.client.get(&visitor.chat("/assignments")).await.expect(200).body;
    assert_eq!(made["data"].as_array().unwrap().len(), 1);
}

each_database!(colleague_takes_a_chat_that_waits);
async fn colleague_takes_a_chat_that_waits(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, ben) = (server.person("agent", "away", 2).await, server.person("agent", "away", 2).await);
    leave_default_group(&server, &ben).await;
    let visitor = server.visitor("Hello").await;
    let path = format!("/v1/conversations/{}/assign", visitor.conversation_id);
    assert_problem(&ben.client.post(&path, &json!({ "agentId": ben.id })).await, 404, "not_found");
    let chat = anna.client.post(&path, &json!({ "agentId": anna.id })).await.expect(200).body;
    assert_eq!((&chat["status"], &chat["assignedAgentId"]), (&json!("active"), &json!(anna.id)));
}
