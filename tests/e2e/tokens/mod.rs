//! Who gets in, and what their token is good for.

mod forged;
mod log_in;
mod nodes;
mod roles;

use domain::agent::{Agent, AgentCommand, Role};
use domain::group::{Group, GroupCommand};
use domain::ids::{AgentId, GroupId};
use domain::routing::RoutingStrategy;
use domain::text::Name;
use harness::{Client, Person, Server, on_each_database};
use infrastructure::database::{Database, DatabaseOptions};
use serde_json::{Value, json};

use crate::desk::{assert_problem, log_in, tell};

on_each_database! {
    async fn demoted_admin_keeps_no_rights(database: TestDatabase) {
        let server = Server::start(&database).await;
        let boss = server.person("admin", "offline", 1).await;
        let agent = json!({ "name": "New", "email": "new@example.com", "password": harness::PASSWORD });
        let at = server.app().bus.now();
        tell::<Agent>(&server, id(&boss), AgentCommand::ChangeRole { role: Role::Agent, at }).await;
        assert_problem(&boss.client.post("/v1/agents", &agent).await, 403, "forbidden");
        assert_eq!(boss.client.get("/v1/auth/me").await.expect(200).body["role"], "agent");
        tell::<Agent>(&server, id(&boss), AgentCommand::ChangeRole { role: Role::Admin, at }).await;
        boss.client.post("/v1/agents", &agent).await.expect(201);
    }

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

    async fn deleted_agent_is_nobody(database: TestDatabase) {
        let server = Server::start(&database).await;
        let anna = server.agent(2).await;
        let email = anna.client.get("/v1/auth/me").await.expect(200).text("/email").to_owned();
        let credentials = json!({ "email": email, "password": harness::PASSWORD });
        let at = server.app().bus.now();
        tell::<Agent>(&server, id(&anna), AgentCommand::Delete { at }).await;
        for path in ["/v1/auth/me", "/v1/agents", "/v1/groups", "/v1/conversations"] {
            assert_problem(&anna.client.get(path).await, 401, "unauthorized");
        }
        assert_problem(&server.client().post("/v1/auth/login", &credentials).await, 401, "wrong_credentials");
        let path = format!("/v1/agents/{}", anna.id);
        assert_problem(&server.admin().await.client.get(&path).await, 404, "not_found");
        tell::<Agent>(&server, id(&anna), AgentCommand::Restore { at }).await;
        anna.client.get("/v1/auth/me").await.expect(200);
        log_in(&server.client(), &email).await;
    }

    async fn supervisors_see_all_and_agents_theirs_and_their_groups(database: TestDatabase) {
        let server = Server::start(&database).await;
        let (anna, ben) = (server.person("agent", "away", 5).await, server.person("agent", "away", 5).await);
        let boss = server.person("supervisor", "offline", 1).await;
        let sales = new_group(&server, &[&ben]).await;
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

        // Who serves a chat of another group sees it, also when it has ended.
        let path = format!("/v1/conversations/{sales_chat}");
        boss.client.post(&format!("{path}/assign"), &json!({ "agentId": anna.id })).await.expect(200);
        assert_eq!(visible(&anna.client).await, [sales_chat.as_str(), &general]);
        anna.client.post(&format!("{path}/close"), &json!({ "reason": "sold" })).await.expect(200);
        assert_eq!(visible(&anna.client).await, [sales_chat.as_str(), &general]);
        anna.client.get(&path).await.expect(200);
    }
}

fn id(person: &Person) -> AgentId {
    person.id.parse().unwrap()
}

/// The conversations that somebody sees in the list, newest first.
async fn visible(client: &Client) -> Vec<String> {
    let page = client.get("/v1/conversations").await.expect(200).body;
    let ids = page["data"].as_array().unwrap().iter().map(|chat| chat["id"].as_str().unwrap().to_owned());
    ids.collect()
}

async fn new_group(server: &Server, agents: &[&Person]) -> GroupId {
    let at = server.app().bus.now();
    let group_id = GroupId::new(server.app().bus.new_uuid());
    let name = Name::parse("Sales").unwrap();
    let create = GroupCommand::Create { name, description: None, strategy: RoutingStrategy::default(), at };
    tell::<Group>(server, group_id, create).await;
    let agent_ids = agents.iter().map(|person| id(person)).collect();
    tell::<Group>(server, group_id, GroupCommand::AddAgents { agent_ids, at }).await;
    group_id
}

async fn leave_default_group(server: &Server, person: &Person) {
    let groups = server.admin().await.client.get("/v1/groups").await.expect(200).body;
    let default = groups["data"].as_array().unwrap().iter().find(|group| group["isDefault"] == json!(true));
    let group_id = default.and_then(|group| group["id"].as_str()).unwrap().parse().unwrap();
    let at = server.app().bus.now();
    tell::<Group>(server, group_id, GroupCommand::RemoveAgent { agent_id: id(person), at }).await;
}

/// All protected routes, with bodies that would do.
fn protected(chat: &str, thread: &str, agent: &str) -> Vec<(reqwest::Method, String, Option<Value>)> {
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
