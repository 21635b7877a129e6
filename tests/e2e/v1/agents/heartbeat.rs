//! Agents whose clients send heartbeats.

use std::time::Duration;

use application::presence::{GRACE, LEASE};
use domain::agent::{AgentEvent, AgentStatus, StatusCause};
use domain::event::AnyEvent;
use harness::desk::wait_for_agent;
use harness::{DEADLINE, Person, Server, TestDatabase, each_database, eventually};
use serde_json::{Value, json};

const HEARTBEAT: &str = "/v1/agents/me/heartbeat";

each_database!(lost_agent_is_away_keeps_their_chats_and_is_back_with_the_next_heartbeat);
async fn lost_agent_is_away_keeps_their_chats_and_is_back_with_the_next_heartbeat(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(5).await;
    let beat = anna.client.post(HEARTBEAT, &json!({})).await.expect(200);
    assert_eq!((&beat.body["graceSeconds"], &beat.body["status"]), (&json!(30), &json!("online")));
    assert_eq!(beat.header("event-position"), None, "a heartbeat is no event");
    let first = server.visitor("one").await;
    wait_for_agent(&first, &anna.id).await;
    server.clock.advance(LEASE + GRACE);
    assert_eq!(wait_for_status(&anna, "away").await["activeChats"], 1);
    assert_eq!(first.conversation().await["assignedAgentId"], json!(anna.id));
    let second = server.visitor("two").await;
    assert_eq!(second.conversation().await["status"], "pending");
    let beat = anna.client.post(HEARTBEAT, &json!({})).await.expect(200);
    assert_eq!(beat.body["status"], "online");
    assert!(beat.position() > 0);
    assert_eq!(status(&anna).await["status"], "online");
    wait_for_agent(&second, &anna.id).await;
    let expected = [(AgentStatus::Away, StatusCause::LeaseExpired), (AgentStatus::Online, StatusCause::LeaseRenewed)];
    assert_eq!(changes(&server).await, expected);
}

each_database!(choice_of_a_person_outlasts_heartbeats_and_who_sends_none_is_left_alone);
async fn choice_of_a_person_outlasts_heartbeats_and_who_sends_none_is_left_alone(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, ben, plain) = (server.agent(5).await, server.agent(5).await, server.agent(5).await);
    for person in [&anna, &ben] {
        person.client.post(HEARTBEAT, &json!({})).await.expect(200);
    }
    let path = format!("/v1/agents/{}/status", anna.id);
    anna.client.put(&path, &json!({ "status": "away" })).await.expect(200);
    server.clock.advance(LEASE + GRACE);
    wait_for_status(&ben, "away").await;
    assert_eq!(anna.client.post(HEARTBEAT, &json!({})).await.expect(200).body["status"], "away");
    assert_eq!(status(&plain).await["status"], "online");
    // Away by chance, and then by choice.
    let boss = server.person("supervisor", "offline", 1).await;
    boss.client.put(&format!("/v1/agents/{}/status", ben.id), &json!({ "status": "away" })).await.expect(200);
    assert_eq!(ben.client.post(HEARTBEAT, &json!({})).await.expect(200).body["status"], "away");
    assert_eq!(status(&ben).await["status"], "away");
}

each_database!(each_session_has_a_lease_and_the_last_one_counts);
async fn each_session_has_a_lease_and_the_last_one_counts(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, lost) = (server.agent(5).await, server.agent(5).await);
    let again = server.client().log_in("agent0@example.com").await;
    assert_eq!(again.id, anna.id);
    for person in [&anna, &again, &lost] {
        person.client.post(HEARTBEAT, &json!({})).await.expect(200);
    }
    server.clock.advance(LEASE);
    again.client.post(HEARTBEAT, &json!({})).await.expect(200);
    server.clock.advance(GRACE);
    wait_for_status(&lost, "away").await;
    assert_eq!(status(&anna).await["status"], "online");
    server.clock.advance(LEASE);
    wait_for_status(&anna, "away").await;
}

each_database!(restart_neither_makes_anybody_away_at_once_nor_forgets_them);
async fn restart_neither_makes_anybody_away_at_once_nor_forgets_them(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(5).await;
    let (present, clock) = (server.agent(5).await, server.clock.clone());
    for person in [&anna, &present] {
        person.client.post(HEARTBEAT, &json!({})).await.expect(200);
    }
    server.stop().await;
    clock.advance(Duration::from_secs(3_600));
    let server = Server::start_at(&database, clock).await;
    let client = |person: &Person| server.client().with_token(person.client.token().unwrap());
    let (anna, present) = [&anna, &present].map(client).into();
    assert_eq!(anna.get("/v1/auth/me").await.expect(200).body["status"], "online");
    eventually(DEADLINE, "an agent that does not come back becomes away", async || {
        // The watch begins when the node may, which takes a moment of real time.
        server.clock.advance(Duration::from_secs(20));
        let beat = present.post(HEARTBEAT, &json!({})).await.expect(200);
        assert_eq!(beat.body["status"], "online", "an agent that is there stays online");
        let status = anna.get("/v1/auth/me").await.expect(200).body["status"].clone();
        if status == "away" { Ok(()) } else { Err(status) }
    })
    .await;
}

each_database!(only_agents_have_heartbeats_and_their_bodies_are_empty);
async fn only_agents_have_heartbeats_and_their_bodies_are_empty(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.person("agent", "offline", 1).await;
    let visitor = server.visitor("Hello").await;
    visitor.client.post(HEARTBEAT, &json!({})).await.expect(403);
    server.client().post(HEARTBEAT, &json!({})).await.expect(401);
    anna.client.post(HEARTBEAT, &json!({ "status": "online" })).await.expect(400);
    let beat = anna.client.request(reqwest::Method::POST, HEARTBEAT, None).await.expect(200);
    assert_eq!(beat.body["status"], "offline", "a heartbeat brings nobody to work");
}

async fn status(person: &Person) -> Value {
    person.client.get("/v1/auth/me").await.expect(200).body
}

async fn wait_for_status(person: &Person, wanted: &str) -> Value {
    eventually(DEADLINE, "the status changes", async || {
        let me = status(person).await;
        if me["status"] == wanted { Ok(me) } else { Err(me) }
    })
    .await
}

async fn changes(server: &Server) -> Vec<(AgentStatus, StatusCause)> {
    let events = server.app().log.read_after(0, 1_000).await.unwrap();
    let change = |event: &AnyEvent| match event {
        AnyEvent::Agent(AgentEvent::StatusChanged { status, cause, .. }) => Some((*status, *cause)),
        _ => None,
    };
    events.iter().filter_map(|event| change(&event.event)).collect()
}
