//! What is shown of an agent.

use domain::routing::RoutingStrategy;
use harness::desk::{assert_problem, wait_for_agent};
use harness::{Server, TestDatabase, each_database};
use serde_json::json;

use crate::support::{active_chats, team};

each_database!(deleted_agent_is_shown_to_admins_who_ask_for_it);
async fn deleted_agent_is_shown_to_admins_who_ask_for_it(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, boss, admin) =
        (server.agent(1).await, server.person("supervisor", "offline", 1).await, server.admin().await);
    let path = format!("/v1/agents/{}", anna.id);
    admin.client.delete(&path).await.expect(200);
    assert_problem(&admin.client.get(&path).await, 404, "not_found");
    let all = format!("{path}?includeDeleted=true");
    let shown = admin.client.get(&all).await.expect(200).body;
    assert_eq!((&shown["id"], &shown["status"]), (&json!(anna.id), &json!("offline")));
    assert_problem(&boss.client.get(&all).await, 403, "forbidden");
    assert_problem(&boss.client.get(&format!("{path}?includeDeleted=false")).await, 404, "not_found");
    assert_problem(&admin.client.get(&format!("{path}?includeDeleted=maybe")).await, 400, "invalid_request");
    assert_problem(&admin.client.get(&format!("{path}?deleted=true")).await, 400, "invalid_request");
}

each_database!(each_filter_of_agents_leaves_out_all_others);
async fn each_filter_of_agents_leaves_out_all_others(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await;
    let (anna, ben, boss) =
        (server.agent(1).await, server.person("agent", "away", 1).await, server.person("supervisor", "away", 1).await);
    let group = team(&server, RoutingStrategy::RoundRobin, &[&ben]).await;
    let of_group = format!("groupId={group}");
    for (filter, expected) in [
        ("role=agent", vec![&anna, &ben]),
        ("role=supervisor", vec![&boss]),
        ("role=admin", vec![&admin]),
        ("status=away", vec![&ben, &boss]),
        ("status=away&role=agent", vec![&ben]),
        (&of_group, vec![&ben]),
        ("status=online&role=supervisor", vec![]),
    ] {
        let found = admin.client.get(&format!("/v1/agents?{filter}")).await.expect(200).body;
        let found: Vec<_> = found["data"].as_array().unwrap().iter().map(|agent| agent["id"].clone()).collect();
        assert_eq!(found, expected.iter().map(|agent| json!(agent.id)).collect::<Vec<_>>(), "{filter}");
    }
}

each_database!(active_chats_of_an_agent_are_true);
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
    visitors[0].close(&anna.client).await;
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
    visitors[1].close(&visitors[1].client).await;
    assert_eq!(active_chats(&server, &ben).await, 0);
}
