//! New agents.

use harness::desk::assert_problem;
use harness::{ADMIN_EMAIL, PASSWORD, Server, TestDatabase, each_database};
use serde_json::json;

each_database!(plain_agent_makes_no_admins);
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

each_database!(new_agent_is_answered_without_password_or_hash);
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

each_database!(address_of_an_agent_is_taken_once_in_any_case);
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
