//! Changes of agents, by admins and by themselves.

use harness::desk::assert_problem;
use harness::{PASSWORD, Server, TestDatabase, each_database};
use serde_json::{Value, json};

use crate::support::active;

each_database!(agents_change_just_four_things_of_themselves);
async fn agents_change_just_four_things_of_themselves(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, boss) = (server.agent(2).await, server.person("supervisor", "offline", 1).await);
    let path = format!("/v1/agents/{}", anna.id);
    let own = json!({
        "name": "Anna", "avatar": "https://example.com/a.png", "status": "away", "acceptingChats": false,
    });
    let changed = anna.client.patch(&path, &own).await.expect(200).body;
    for (field, value) in own.as_object().unwrap() {
        assert_eq!(&changed[field], value, "{field}");
    }
    for (field, value) in
        [("email", json!("x@example.com")), ("role", json!("admin")), ("maxConcurrentChats", json!(9))]
    {
        for (person, also) in [(&anna, json!({})), (&anna, json!({ "name": "Anna" })), (&boss, json!({}))] {
            let mut body = also;
            body[field] = value.clone();
            assert_problem(&person.client.patch(&path, &body).await, 403, "forbidden");
        }
    }
    // Supervisors set a status with its own call; the rest of a colleague is the admins' business.
    assert_problem(&boss.client.patch(&path, &json!({ "name": "Mallory" })).await, 403, "forbidden");
    assert_problem(&boss.client.patch(&path, &json!({ "status": "online" })).await, 403, "forbidden");
    boss.client.put(&format!("{path}/status"), &json!({ "status": "online" })).await.expect(200);
    let me = anna.client.get(&path).await.expect(200).body;
    assert_eq!((&me["name"], &me["status"], &me["role"]), (&json!("Anna"), &json!("online"), &json!("agent")));
}

each_database!(form_of_a_busy_agent_is_saved_although_chats_come_and_go);
async fn form_of_a_busy_agent_is_saved_although_chats_come_and_go(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let anna = server.person("agent", "online", 2).await;
    let path = format!("/v1/agents/{}", anna.id);
    let seen = admin.get(&path).await.expect(200).body;
    for _ in 0..2 {
        let visitor = server.visitor("Hello").await;
        active(&visitor.client, &visitor.chat("")).await;
    }
    let now = admin.get(&path).await.expect(200).body;
    assert_eq!((&now["activeChats"], &now["version"]), (&json!(2), &seen["version"]));
    let form = admin.with_header("If-Match", &format!("\"{}\"", seen["version"]));
    let saved = form.patch(&path, &json!({ "name": "Anna B." })).await.expect(200).body;
    let version = saved["version"].as_i64().unwrap();
    assert!(version > seen["version"].as_i64().unwrap() + 2, "it is the sequence of the event: {saved}");
    let refused = form.patch(&path, &json!({ "name": "Anna C." })).await.expect(412).body;
    assert_eq!(refused["currentVersion"], version);
}

each_database!(agents_are_changed_by_admins_and_partly_by_themselves);
async fn agents_are_changed_by_admins_and_partly_by_themselves(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await;
    let anna = server.agent(2).await;
    let path = format!("/v1/agents/{}", anna.id);
    let own = json!({ "name": "Anna A.", "avatar": "https://example.com/a.png", "acceptingChats": false });
    let changed = anna.client.patch(&path, &own).await.expect(200).body;
    assert_eq!((&changed["name"], &changed["acceptingChats"]), (&json!("Anna A."), &json!(false)));
    let changed = anna.client.patch(&path, &json!({ "avatar": null })).await.expect(200).body;
    assert_eq!(changed["avatar"], Value::Null);
    for more in [json!({ "role": "admin" }), json!({ "maxConcurrentChats": 20 }), json!({ "email": "x@y.z" })] {
        anna.client.patch(&path, &more).await.expect(403);
    }
    let other = format!("/v1/agents/{}", admin.id);
    anna.client.patch(&other, &json!({ "name": "Mallory" })).await.expect(403);
    let promoted = json!({ "role": "supervisor", "maxConcurrentChats": 9, "email": "anna@example.org" });
    let changed = admin.client.patch(&path, &promoted).await.expect(200).body;
    assert_eq!((&changed["role"], &changed["maxConcurrentChats"]), (&json!("supervisor"), &json!(9)));
    let login = |email: &str| json!({ "email": email, "password": PASSWORD });
    server.client().post("/v1/auth/login", &login("anna@example.org")).await.expect(200);
    server.client().post("/v1/auth/login", &login("agent0@example.com")).await.expect(401);
}

each_database!(last_admin_can_be_neither_demoted_nor_deleted);
async fn last_admin_can_be_neither_demoted_nor_deleted(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await;
    let path = format!("/v1/agents/{}", admin.id);
    let refused = admin.client.patch(&path, &json!({ "role": "agent" })).await.expect(409);
    assert_eq!(refused.body["code"], "last_admin");
    admin.client.delete(&path).await.expect(409);
    let second = server.person("admin", "offline", 1).await;
    // Both go at once: one has to stay.
    let other = format!("/v1/agents/{}", second.id);
    let (one, two) = tokio::join!(second.client.delete(&path), admin.client.delete(&other));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert!(statuses == [200, 409] || statuses == [200, 401], "{statuses:?}");
}
