//! What each role may do.

mod behind;
mod forged;
mod late;
mod roles;

use std::collections::BTreeMap;

use domain::agent::{Agent, AgentCommand, Role};
use domain::routing::RoutingStrategy;
use harness::desk::assert_problem;
use harness::{Client, Server, TestDatabase, each_database};
use serde_json::{Value, json};

use crate::support::{agent_id, leave_default_group, team, tell};

each_database!(every_route_admits_just_whom_the_table_names);
async fn every_route_admits_just_whom_the_table_names(database: TestDatabase) {
    use api::rest::{Access, endpoints};
    let server = Server::start(&database).await;
    let visitor = server.visitor("mine").await;
    let foreign = server.visitor("foreign").await;
    let callers: Vec<(&str, Client, u8)> = vec![
        ("nobody", server.client(), 0),
        ("visitor", foreign.client.clone(), 1),
        ("agent", server.person("agent", "offline", 1).await.client, 2),
        ("supervisor", server.person("supervisor", "offline", 1).await.client, 3),
        ("admin", server.admin().await.client, 4),
    ];
    let mut walked = BTreeMap::new();
    for endpoint in endpoints() {
        if endpoint.path == "/v1/auth/logout" {
            continue;
        }
        let least = match endpoint.access {
            Access::Public => 0,
            Access::Participant => 1,
            Access::Agent => 2,
            Access::Supervisor => 3,
            Access::Admin | Access::Monitor => 4,
        };
        // Ids that do not exist: an admitted caller gets 400 or 404, never 401 or 403 by the table.
        let path = endpoint
            .path
            .replace("{id}", &visitor.id)
            .replace("{agentId}", &visitor.id)
            .replace("{tagId}", &visitor.id);
        for (name, client, level) in &callers {
            let body = json!({ "unknown": true });
            let body = (endpoint.method != "GET").then_some(&body);
            let status = client.request(endpoint.method.clone(), &path, body).await.status;
            let context = format!("{} {} by {name}: {status}", endpoint.method, endpoint.path);
            match (*level >= least, level) {
                (true, _) => assert!(status != 401 && status != 403, "{context}"),
                (false, 0) => assert_eq!(status, 401, "{context}"),
                (false, _) => assert_eq!(status, 403, "{context}"),
            }
            *walked.entry(endpoint.path).or_insert(0) += 1;
        }
    }
    assert!(walked.len() >= 28, "{walked:?}");
    for path in [visitor.chat(""), format!("/v1/threads/{}/events", visitor.thread_id)] {
        foreign.client.get(&path).await.expect(404);
    }
}

each_database!(demoted_admin_keeps_no_rights);
async fn demoted_admin_keeps_no_rights(database: TestDatabase) {
    let server = Server::start(&database).await;
    let boss = server.person("admin", "offline", 1).await;
    let agent = json!({ "name": "New", "email": "new@example.com", "password": harness::PASSWORD });
    let at = server.app().bus.now();
    tell::<Agent>(&server, agent_id(&boss), AgentCommand::ChangeRole { role: Role::Agent, at }).await;
    assert_problem(&boss.client.post("/v1/agents", &agent).await, 403, "forbidden");
    assert_eq!(boss.client.get("/v1/auth/me").await.expect(200).body["role"], "agent");
    tell::<Agent>(&server, agent_id(&boss), AgentCommand::ChangeRole { role: Role::Admin, at }).await;
    boss.client.post("/v1/agents", &agent).await.expect(201);
}

each_database!(supervisors_see_all_and_agents_theirs_and_their_groups);
async fn supervisors_see_all_and_agents_theirs_and_their_groups(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, ben) = (server.person("agent", "away", 5).await, server.person("agent", "away", 5).await);
    let boss = server.person("supervisor", "offline", 1).await;
    let sales = team(&server, RoutingStrategy::default(), &[&ben]).await;
    leave_default_group(&server, &ben).await;
    let general = server.visitor("General").await.conversation_id;
    let session = json!({ "initialMessage": "Sales", "groupId": sales });
    let sales_chat = server.client().post("/v1/widget/session", &session).await.expect(201);
    let sales_chat = sales_chat.text("/conversationId").to_owned();
    assert_eq!(visible(&boss.client).await, [sales_chat.clone(), general.clone()]);
    assert_eq!(visible(&anna.client).await, [general.as_str()]);
    assert_eq!(visible(&ben.client).await, [sales_chat.as_str()]);
    for (chat, hidden_from) in [(&general, &ben), (&sales_chat, &anna)] {
        let path = format!("/v1/conversations/{chat}");
        assert_problem(&hidden_from.client.get(&path).await, 404, "not_found");
        assert_problem(&hidden_from.client.get(&format!("{path}/assignments")).await, 404, "not_found");
    }
    let all = anna.client.get(&format!("/v1/conversations?groupId={sales}")).await.expect(200);
    assert_eq!(all.body["data"], json!([]), "a filter shows no more than may be seen");
    let all = anna.client.get(&format!("/v1/conversations?agentId={}", ben.id)).await.expect(200);
    assert_eq!(all.body["data"], json!([]));

    // The agent of a chat in another group sees it, also when it has ended.
    let path = format!("/v1/conversations/{sales_chat}");
    boss.client.post(&format!("{path}/assign"), &json!({ "agentId": anna.id })).await.expect(200);
    assert_eq!(visible(&anna.client).await, [sales_chat.as_str(), &general]);
    anna.client.post(&format!("{path}/close"), &json!({ "reason": "sold" })).await.expect(200);
    assert_eq!(visible(&anna.client).await, [sales_chat.as_str(), &general]);
    anna.client.get(&path).await.expect(200);
}

/// The conversations that somebody sees in the list, newest first.
async fn visible(client: &Client) -> Vec<String> {
    let page = client.get("/v1/conversations").await.expect(200).body;
    let ids = page["data"].as_array().unwrap().iter().map(|chat| chat["id"].as_str().unwrap().to_owned());
    ids.collect()
}

/// All protected routes, with bodies that would do.
pub fn protected(chat: &str, thread: &str, agent: &str) -> Vec<(reqwest::Method, String, Option<Value>)> {
    use reqwest::Method;
    let chat = |end: &str| format!("/v1/conversations/{chat}{end}");
    let messages = format!("/v1/threads/{thread}/events");
    let (says, ends) = (json!({ "content": "x" }), json!({ "reason": "x" }));
    let hired = json!({ "name": "x", "email": "x@example.com", "password": "12345678" });
    vec![
        (Method::GET, "/v1/auth/me".to_owned(), None),
        (Method::GET, "/v1/agents".to_owned(), None),
        (Method::POST, "/v1/agents".to_owned(), Some(hired)),
        (Method::GET, format!("/v1/agents/{agent}"), None),
        (Method::PUT, format!("/v1/agents/{agent}/status"), Some(json!({ "status": "online" }))),
        (Method::GET, "/v1/groups".to_owned(), None),
        (Method::GET, "/v1/conversations".to_owned(), None),
        (Method::GET, chat(""), None),
        (Method::GET, chat("/assignments"), None),
        (Method::GET, messages.clone(), None),
        (Method::POST, messages, Some(says.clone())),
        (Method::POST, chat("/events"), Some(says)),
        (Method::POST, chat("/assign"), Some(json!({ "agentId": agent }))),
        (Method::POST, chat("/close"), Some(ends)),
        (Method::POST, chat("/reopen"), Some(json!({}))),
    ]
}
