//! Every route with every role.

use harness::desk::assert_problem;
use harness::{Client, Server, TestDatabase, each_database};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::leave_default_group;

/// The callers, in the order of the table's columns. The colleague is in the chat's group; the outsider is in none.
const ROLES: [&str; 8] = ["nobody", "stranger", "visitor", "outsider", "colleague", "assigned", "supervisor", "admin"];

/// What a call is made on: a fresh chat that is served, or one that has ended.
#[derive(Clone, Copy, PartialEq)]
enum On {
    Nothing,
    Served,
    Ended,
}

use On::*;

type Row = (Method, &'static str, On, fn(&Case) -> Option<Value>, [u16; 8]);

/// A call by somebody.
struct Case {
    role: &'static str,
    own_id: String,
    assigned_id: String,
    number: usize,
}

fn rows() -> Vec<Row> {
    let nothing: fn(&Case) -> _ = |_| None;
    let says: fn(&Case) -> _ = |_| Some(json!({ "content": "x" }));
    let hires: fn(&Case) -> _ = |case| {
        let email = format!("hired{}@example.com", case.number);
        Some(json!({ "name": "Hired", "email": email, "password": "12345678" }))
    };
    let takes: fn(&Case) -> _ = |case| Some(json!({ "agentId": case.own_id }));
    let gives: fn(&Case) -> _ = |case| Some(json!({ "agentId": case.assigned_id, "reason": case.role }));
    vec![
        (Method::GET, "/v1/auth/me", Nothing, nothing, [401, 403, 403, 200, 200, 200, 200, 200]),
        (Method::GET, "/v1/agents", Nothing, nothing, [401, 403, 403, 200, 200, 200, 200, 200]),
        (Method::POST, "/v1/agents", Nothing, hires, [401, 403, 403, 403, 403, 403, 403, 201]),
        (Method::GET, "/v1/agents/{agent}", Nothing, nothing, [401, 403, 403, 200, 200, 200, 200, 200]),
        (
            Method::PUT,
            "/v1/agents/{agent}/status",
            Nothing,
            |_| Some(json!({ "status": "away" })),
            [401, 403, 403, 403, 403, 200, 200, 200],
        ),
        (Method::GET, "/v1/groups", Nothing, nothing, [401, 403, 403, 200, 200, 200, 200, 200]),
        (Method::GET, "/v1/conversations", Nothing, nothing, [401, 403, 403, 200, 200, 200, 200, 200]),
        (Method::GET, "/v1/conversations/{chat}", Served, nothing, [401, 404, 200, 404, 200, 200, 200, 200]),
        (
            Method::GET,
            "/v1/conversations/{chat}/assignments",
            Served,
            nothing,
            [401, 403, 403, 404, 200, 200, 200, 200],
        ),
        (Method::GET, "/v1/threads/{thread}/events", Served, nothing, [401, 404, 200, 404, 200, 200, 200, 200]),
        (
            Method::POST,
            "/v1/threads/{thread}/read",
            Served,
            |_| Some(json!({ "upTo": 1_000_000 })),
            [401, 404, 200, 404, 403, 200, 403, 403],
        ),
        (
            Method::POST,
            "/v1/conversations/{chat}/typing",
            Served,
            |_| Some(json!({ "state": "started" })),
            [401, 404, 204, 404, 403, 204, 403, 403],
        ),
        (Method::POST, "/v1/threads/{thread}/events", Served, says, [401, 404, 201, 404, 403, 201, 403, 403]),
        (Method::POST, "/v1/conversations/{chat}/events", Served, says, [401, 404, 201, 404, 403, 201, 403, 403]),
        // A colleague may take what nobody has, but takes nothing away.
        (Method::POST, "/v1/conversations/{chat}/assign", Served, takes, [401, 403, 403, 404, 409, 200, 200, 200]),
        (Method::POST, "/v1/conversations/{chat}/assign", Served, gives, [401, 403, 403, 404, 403, 200, 200, 200]),
        (
            Method::POST,
            "/v1/conversations/{chat}/close",
            Served,
            |_| Some(json!({ "reason": "done" })),
            [401, 404, 200, 404, 403, 200, 200, 200],
        ),
        (
            Method::POST,
            "/v1/conversations/{chat}/reopen",
            Ended,
            |_| Some(json!({})),
            [401, 404, 200, 404, 403, 200, 200, 200],
        ),
        (Method::GET, "/v1/audit", Nothing, nothing, [401, 403, 403, 403, 403, 403, 403, 200]),
        (Method::GET, "/health", Nothing, nothing, [200; 8]),
        (Method::GET, "/livez", Nothing, nothing, [200; 8]),
        (Method::GET, "/readyz", Nothing, nothing, [200; 8]),
        (Method::POST, "/v1/stream/tickets", Nothing, |_| Some(json!({})), [401, 200, 200, 200, 200, 200, 200, 200]),
        // The last one: it ends the sessions of all who may.
        (Method::POST, "/v1/auth/logout", Nothing, nothing, [401, 403, 403, 204, 204, 204, 204, 204]),
    ]
}

const fn code(status: u16) -> &'static str {
    match status {
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        _ => "already_assigned",
    }
}

each_database!(every_route_knows_who_may_call_it);
async fn every_route_knows_who_may_call_it(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await;
    admin.client.put(&format!("/v1/agents/{}/status", admin.id), &json!({ "status": "away" })).await.expect(200);
    let mut agents = vec![];
    for role in ["agent", "agent", "agent", "supervisor"] {
        agents.push(server.person(role, "away", 20).await);
    }
    leave_default_group(&server, &agents[0]).await;
    agents.push(admin);
    let (admin, assigned) = (agents[4].clone(), agents[2].clone());
    let stranger = server.visitor("Another chat").await.client;
    for (method, template, on, body, expected) in rows() {
        for (number, (role, status)) in ROLES.into_iter().zip(expected).enumerate() {
            let own = server.visitor("Hello").await;
            let chat = format!("/v1/conversations/{}", own.conversation_id);
            if on != Nothing {
                let assign = json!({ "agentId": assigned.id });
                admin.client.post(&format!("{chat}/assign"), &assign).await.expect(200);
            }
            if on != Served {
                own.client.post(&format!("{chat}/close"), &json!({ "reason": "done" })).await.expect(200);
            }
            let client = match number {
                0 => server.client(),
                1 => stranger.clone(),
                2 => own.client.clone(),
                agent => agents[agent - 3].client.clone(),
            };
            let own_id = agents[number.max(3) - 3].id.clone();
            let case = Case { role, own_id, assigned_id: assigned.id.clone(), number };
            let path = template.replace("{chat}", &own.conversation_id);
            let path = path.replace("{thread}", &own.thread_id).replace("{agent}", &assigned.id);
            let head = server.app().log.head().await.unwrap().position;
            let reply = client.request(method.clone(), &path, body(&case).as_ref()).await;
            assert_eq!(reply.status, status, "{method} {template} by {role}: {}", reply.body);
            if status >= 400 {
                assert_problem(&reply, status, code(status));
                assert_eq!(server.app().log.head().await.unwrap().position, head, "{template} by {role}");
            }
            end(&own.client, &chat).await;
        }
    }
}

each_database!(agent_who_left_the_group_sees_only_what_they_serve);
async fn agent_who_left_the_group_sees_only_what_they_serve(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.person("agent", "away", 2).await;
    let (served, other) = (server.visitor("one").await, server.visitor("two").await);
    let path = format!("/v1/conversations/{}", served.conversation_id);
    anna.client.post(&format!("{path}/assign"), &json!({ "agentId": anna.id })).await.expect(200);
    leave_default_group(&server, &anna).await;
    anna.client.get(&path).await.expect(200);
    anna.client.post(&format!("{path}/events"), &json!({ "content": "x" })).await.expect(201);
    let other_path = format!("/v1/conversations/{}", other.conversation_id);
    assert_problem(&anna.client.get(&other_path).await, 404, "not_found");
    let thread = format!("/v1/threads/{}/events", other.thread_id);
    assert_problem(&anna.client.get(&thread).await, 404, "not_found");
}

/// Makes room for the next chat; the owner of the chat may have ended it already.
async fn end(client: &Client, chat: &str) {
    let reply = client.post(&format!("{chat}/close"), &json!({ "reason": "over" })).await;
    assert!([200, 409].contains(&reply.status), "{}", reply.body);
}
