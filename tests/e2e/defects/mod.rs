//! What others got wrong: each is a case that this server passes.

use std::collections::{BTreeMap, HashSet};

use domain::group::{Group, GroupCommand};
use domain::ids::GroupId;
use domain::routing::RoutingStrategy;
use domain::text::Name;
use harness::{ADMIN_EMAIL, DEADLINE, PASSWORD, Person, Process, Server, Visitor, eventually, on_each_database};
use serde_json::{Value, json};

use crate::desk::{NOBODY, assert_field, assert_problem, tell, visitor, wait_for_agent};

mod further;

/// A group of these agents.
async fn group(server: &Server, strategy: RoutingStrategy, agents: &[&Person]) -> GroupId {
    let (at, group_id) = (server.app().bus.now(), GroupId::new(server.app().bus.new_uuid()));
    let create = GroupCommand::Create { name: Name::parse("Team").unwrap(), description: None, strategy, at };
    tell::<Group>(server, group_id, create).await;
    let agent_ids = agents.iter().map(|person| person.id.parse().unwrap()).collect();
    tell::<Group>(server, group_id, GroupCommand::AddAgents { agent_ids, at }).await;
    group_id
}

/// What the agent's view says of all that is in the log by now: the router's choices are nobody's own writes.
async fn active_chats(server: &Server, person: &Person) -> Value {
    let head = server.app().log.head().await.unwrap().position.to_string();
    let client = person.client.with_header("If-Position-At-Least", &head);
    let me = client.get("/v1/auth/me").await.expect(200).body;
    let listed = client.get("/v1/agents").await.expect(200).body;
    let listed = listed["data"].as_array().unwrap().iter().find(|agent| agent["id"] == me["id"]).unwrap().clone();
    assert_eq!(listed, me, "list and single view agree");
    me["activeChats"].clone()
}

async fn close(person: &harness::Client, visitor: &Visitor) {
    let path = format!("/v1/conversations/{}/close", visitor.conversation_id);
    person.post(&path, &json!({ "reason": "done" })).await.expect(200);
}

on_each_database! {
    /// The pool is far smaller than the crowd, so nobody may hold a connection while they wait for another.
    async fn crowd_of_256_is_served_without_a_failure(database: TestDatabase) {
        let server = Server::start(&database).await;
        let anna = server.agent(20).await;
        let crowd = (0..256).map(|number| {
            let (server, anna) = (&server, &anna);
            async move {
                // A client of one's own is a connection of one's own.
                let visitor = server.visitor(&format!("visitor {number}")).await;
                let path = format!("/v1/threads/{}/events", visitor.thread_id);
                for text in ["one", "two"] {
                    visitor.client.post(&path, &json!({ "content": text })).await.expect(201);
                    let events = visitor.client.get(&path).await.expect(200).body;
                    assert_eq!(events["data"].as_array().unwrap().iter().filter(|e| e["content"] == text).count(), 1);
                    visitor.conversation().await;
                }
                anna.client.get("/v1/conversations?limit=5").await.expect(200);
                close(&visitor.client, &visitor).await;
                visitor.conversation_id
            }
        });
        let chats: HashSet<_> = futures::future::join_all(crowd).await.into_iter().collect();
        assert_eq!(chats.len(), 256);
        server.client().get("/readyz").await.expect(200);
        assert_eq!(active_chats(&server, &anna).await, 0);
    }

    async fn nobody_writes_as_an_agent_without_a_token(database: TestDatabase) {
        let server = Server::start(&database).await;
        let anna = server.agent(1).await;
        let visitor = server.visitor("Hello").await;
        wait_for_agent(&visitor, &anna.id).await;
        let path = format!("/v1/threads/{}/events", visitor.thread_id);
        for author in ["agent", "system", "visitor"] {
            let body = json!({ "content": "Forged", "authorType": author });
            assert_problem(&server.client().post(&path, &body).await, 401, "unauthorized");
        }
        for author in ["agent", "system"] {
            let body = json!({ "content": "Forged", "authorType": author });
            assert_problem(&visitor.client.post(&path, &body).await, 403, "forbidden");
        }
        let named = json!({ "content": "Forged", "authorType": "agent", "authorId": anna.id });
        assert_field(&visitor.client.post(&path, &named).await, "authorId", "is not known");
        let events = visitor.client.get(&path).await.expect(200).body;
        assert!(!events.to_string().contains("Forged"), "{events}");
    }

    async fn message_of_an_agent_carries_their_id(database: TestDatabase) {
        let server = Server::start(&database).await;
        let anna = server.agent(1).await;
        let visitor = server.visitor("Hello").await;
        wait_for_agent(&visitor, &anna.id).await;
        let path = format!("/v1/threads/{}/events", visitor.thread_id);
        let sent = anna.client.post(&path, &json!({ "content": "I am Anna" })).await.expect(201).body;
        let events = visitor.client.get(&path).await.expect(200).body;
        let read = events["data"].as_array().unwrap().last().unwrap();
        assert_eq!(read, &sent);
        assert_eq!((&read["authorType"], &read["authorId"]), (&json!("agent"), &json!(anna.id)));
    }

    async fn plain_agent_makes_no_admins(database: TestDatabase) {
        let server = Server::start(&database).await;
        let admin = json!({ "name": "x", "email": "x@example.com", "password": PASSWORD, "role": "admin" });
        for role in ["agent", "supervisor"] {
            let person = server.person(role, "online", 1).await;
            assert_problem(&person.client.post("/v1/agents", &admin).await, 403, "forbidden");
        }
        let credentials = json!({ "email": "x@example.com", "password": PASSWORD });
        assert_problem(&server.client().post("/v1/auth/login", &credentials).await, 401, "wrong_credentials");
    }

    async fn new_agent_is_answered_without_password_or_hash(database: TestDatabase) {
        let server = Server::start(&database).await;
        let admin = server.admin().await.client;
        let agent = json!({ "name": "x", "email": "x@example.com", "password": "a very own password" });
        let created = admin.post("/v1/agents", &agent).await.expect(201);
        let path = format!("/v1/agents/{}", created.text("/id"));
        let mut bodies = vec![created.body.clone()];
        for path in [&path, "/v1/agents", "/v1/auth/me", "/v1/groups"] {
            bodies.push(admin.get(path).await.expect(200).body);
        }
        for body in bodies {
            let text = body.to_string().to_lowercase();
            assert!(!text.contains("password") && !text.contains("hash") && !text.contains("$argon"), "{text}");
        }
    }

    async fn closing_closes_the_thread_and_tells_who_and_when(database: TestDatabase) {
        let server = Server::start(&database).await;
        let anna = server.agent(2).await;
        let visitor = server.visitor("Hello").await;
        wait_for_agent(&visitor, &anna.id).await;
        let chat = format!("/v1/conversations/{}", visitor.conversation_id);
        let thread = format!("/v1/threads/{}/events", visitor.thread_id);
        for (closer, kind, id) in [(&anna.client, "agent", &anna.id), (&visitor.client, "visitor", &visitor.id)] {
            let active = visitor.conversation().await["activeThreadId"].as_str().unwrap().to_owned();
            let active = format!("/v1/threads/{active}/events");
            let closed = closer.post(&format!("{chat}/close"), &json!({ "reason": "done" })).await.expect(200).body;
            assert_eq!((&closed["status"], &closed["activeThreadId"]), (&json!("closed"), &Value::Null));
            let events = visitor.client.get(&active).await.expect(200).body;
            let last = events["data"].as_array().unwrap().last().unwrap();
            assert_eq!(last["systemType"], "thread_closed");
            assert_eq!(last["metadata"]["closedBy"], json!({ "type": kind, "id": id }));
            assert_eq!(last["createdAt"], closed["closedAt"]);
            for client in [&anna.client, &visitor.client] {
                for path in [&active, &thread, &format!("{chat}/events")] {
                    assert_problem(&client.post(path, &json!({ "content": "late" })).await, 409, "chat_closed");
                }
            }
            visitor.client.post(&format!("{chat}/reopen"), &json!({})).await.expect(200);
            wait_for_agent(&visitor, &anna.id).await;
            assert_problem(&visitor.client.post(&active, &json!({ "content": "late" })).await, 409, "chat_closed");
        }
    }

    async fn reopening_exceeds_no_limit(database: TestDatabase) {
        let server = Server::start(&database).await;
        let anna = server.agent(1).await;
        let first = server.visitor("first").await;
        wait_for_agent(&first, &anna.id).await;
        close(&anna.client, &first).await;
        let second = server.visitor("second").await;
        wait_for_agent(&second, &anna.id).await;
        let path = format!("/v1/conversations/{}/reopen", first.conversation_id);
        let reopened = anna.client.post(&path, &json!({})).await.expect(200).body;
        assert_eq!((&reopened["status"], &reopened["queuePosition"]), (&json!("pending"), &json!(1)));
        close(&second.client, &second).await;
        wait_for_agent(&first, &anna.id).await;
        assert_eq!(active_chats(&server, &anna).await, 1);
    }

    async fn returning_visitor_of_a_sticky_group_gets_their_last_agent(database: TestDatabase) {
        let server = Server::start(&database).await;
        let agents = [server.person("agent", "away", 9).await, server.person("agent", "away", 9).await];
        let sticky = group(&server, RoutingStrategy::Sticky, &[&agents[0], &agents[1]]).await;
        let begin = |token: Value| json!({ "initialMessage": "Hello", "groupId": sticky, "sessionToken": token });
        let first = visitor(&server.client(), begin(Value::Null)).await;
        let assign = format!("/v1/conversations/{}/assign", first.conversation_id);
        agents[1].client.post(&assign, &json!({ "agentId": agents[1].id })).await.expect(200);
        close(&first.client, &first).await;
        // The other one has less to do, and would be the choice of chance or of load.
        for agent in &agents {
            let path = format!("/v1/agents/{}/status", agent.id);
            agent.client.put(&path, &json!({ "status": "online" })).await.expect(200);
        }
        for _ in 0..3 {
            let again = visitor(&server.client(), begin(json!(first.client.token()))).await;
            assert_ne!(again.conversation_id, first.conversation_id);
            wait_for_agent(&again, &agents[1].id).await;
            close(&again.client, &again).await;
            let other = visitor(&server.client(), begin(Value::Null)).await;
            wait_for_somebody(std::slice::from_ref(&other)).await;
        }
    }

    async fn round_robin_is_even(database: TestDatabase) {
        let server = Server::start(&database).await;
        let agents = [server.agent(20).await, server.agent(20).await, server.agent(20).await];
        let team = group(&server, RoutingStrategy::RoundRobin, &[&agents[0], &agents[1], &agents[2]]).await;
        let client = server.client();
        let begin = || visitor(&client, json!({ "initialMessage": "Hello", "groupId": team }));
        let mut visitors = vec![];
        for _ in 0..12 {
            visitors.push(begin().await);
            wait_for_somebody(&visitors[visitors.len() - 1..]).await;
        }
        let order: Vec<_> = wait_for_somebody(&visitors).await;
        assert!(order.iter().zip(&order[3..]).all(|(one, same)| one == same), "each in turn: {order:?}");
        let crowd = futures::future::join_all((0..33).map(|_| begin())).await;
        visitors.extend(crowd);
        let mut counts = BTreeMap::new();
        for agent in wait_for_somebody(&visitors).await {
            *counts.entry(agent).or_insert(0) += 1;
        }
        assert_eq!(counts.values().copied().collect::<Vec<_>>(), [15, 15, 15]);
    }

    async fn address_of_an_agent_is_taken_once_in_any_case(database: TestDatabase) {
        let server = Server::start(&database).await;
        let admin = server.admin().await.client;
        let agent = |email: &str| json!({ "name": "x", "email": email, "password": PASSWORD });
        admin.post("/v1/agents", &agent("Anna@Example.com")).await.expect(201);
        for same in ["anna@example.com", "ANNA@EXAMPLE.COM", "Anna@Example.com", &ADMIN_EMAIL.to_uppercase()] {
            assert_problem(&admin.post("/v1/agents", &agent(same)).await, 409, "email_taken");
        }
        let racers = (0..16).map(|number| {
            let (admin, email) = (admin.clone(), if number % 2 == 0 { "ben@example.com" } else { "BEN@example.com" });
            let agent = agent(email);
            async move { admin.post("/v1/agents", &agent).await }
        });
        let replies = futures::future::join_all(racers).await;
        let (made, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 201);
        assert_eq!((made.len(), refused.len()), (1, 15));
        refused.iter().for_each(|reply| assert_problem(reply, 409, "email_taken"));
        let listed = admin.get("/v1/agents?search=BEN@").await.expect(200).body;
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        let credentials = json!({ "email": "ben@example.com", "password": PASSWORD });
        let ben = server.client().post("/v1/auth/login", &credentials).await.expect(200);
        assert_eq!(ben.text("/agent/id"), made[0].text("/id"), "the losers' passwords are forgotten");
    }

    async fn unknown_group_is_refused(database: TestDatabase) {
        let server = Server::start(&database).await;
        let anna = server.person("agent", "away", 1).await;
        // An id that exists, but of something else, is no group either.
        for id in [NOBODY, &anna.id] {
            let reply = server.client().post("/v1/widget/session", &json!({ "initialMessage": "x", "groupId": id })).await;
            assert_field(&reply, "groupId", "the group does not exist");
        }
        assert_eq!(anna.client.get("/v1/conversations").await.expect(200).body["data"], json!([]));
    }

    async fn invalid_status_is_refused_without_sql(database: TestDatabase) {
        let server = Server::start(&database).await;
        let anna = server.person("agent", "away", 1).await;
        let path = format!("/v1/agents/{}/status", anna.id);
        for status in ["busy", "", "'", "online'; UPDATE agents SET role = 'admin'; --", "ONLINE"] {
            let reply = anna.client.put(&path, &json!({ "status": status })).await;
            assert_field(&reply, "status", "must be one of online, away, offline");
            let text = reply.body.to_string().to_lowercase();
            assert!(!["sql", "update", "select", "syntax"].iter().any(|word| text.contains(word)), "{text}");
        }
        assert_eq!(anna.client.get("/v1/auth/me").await.expect(200).body["status"], "away");
    }

    async fn active_chats_of_an_agent_are_true(database: TestDatabase) {
        let server = Server::start(&database).await;
        let boss = server.person("supervisor", "away", 5).await;
        let (anna, ben) = (server.agent(3).await, server.person("agent", "away", 3).await);
        assert_eq!(active_chats(&server, &anna).await, 0);
        let mut visitors = vec![];
        for count in 1..=3 {
            visitors.push(server.visitor("Hello").await);
            wait_for_agent(&visitors[count - 1], &anna.id).await;
            assert_eq!(active_chats(&server, &anna).await, count);
        }
        close(&anna.client, &visitors[0]).await;
        assert_eq!(active_chats(&server, &anna).await, 2);
        let path = format!("/v1/conversations/{}/reopen", visitors[0].conversation_id);
        visitors[0].client.post(&path, &json!({})).await.expect(200);
        wait_for_agent(&visitors[0], &anna.id).await;
        assert_eq!(active_chats(&server, &anna).await, 3);
        let path = format!("/v1/conversations/{}/assign", visitors[1].conversation_id);
        for _ in 0..2 {
            boss.client.post(&path, &json!({ "agentId": ben.id })).await.expect(200);
            assert_eq!((active_chats(&server, &anna).await, active_chats(&server, &ben).await), (json!(2), json!(1)));
        }
        let path = format!("/v1/agents/{}/status", anna.id);
        anna.client.put(&path, &json!({ "status": "offline" })).await.expect(200);
        assert_eq!((active_chats(&server, &anna).await, active_chats(&server, &ben).await), (json!(0), json!(1)));
        close(&visitors[1].client, &visitors[1]).await;
        assert_eq!(active_chats(&server, &ben).await, 0);
    }
}

/// Waits until all of these have an agent, and names the agents.
async fn wait_for_somebody(visitors: &[Visitor]) -> Vec<String> {
    eventually(DEADLINE, "all chats are assigned", async || {
        let chats = futures::future::join_all(visitors.iter().map(Visitor::conversation)).await;
        let agents = chats.iter().map(|chat| chat["assignedAgentId"].as_str().map(str::to_owned));
        agents.collect::<Option<Vec<_>>>().ok_or("some wait")
    })
    .await
}

#[tokio::test]
async fn failed_log_in_leaves_no_password_in_the_log() {
    const TYPED: &str = "Typed-by-mistake-7";
    let process = Process::builder().setting("ADMIN_EMAIL", ADMIN_EMAIL).setting("ADMIN_PASSWORD", PASSWORD);
    let process = process.setting("RUST_LOG", "trace").start().await;
    for email in [ADMIN_EMAIL, "nobody-at-all@example.com", TYPED] {
        let reply = process.client().post("/v1/auth/login", &json!({ "email": email, "password": TYPED })).await;
        assert!([400, 401].contains(&reply.status));
        assert!(!reply.body.to_string().contains(TYPED));
    }
    let log = process.log();
    assert!(log.contains("/v1/auth/login"), "the log tells of the requests");
    for secret in [TYPED, "nobody-at-all@example.com", PASSWORD] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}
