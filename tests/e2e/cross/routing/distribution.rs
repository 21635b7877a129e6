//! How the strategies spread chats, over HTTP.

use std::collections::BTreeMap;

use domain::routing::RoutingStrategy;
use harness::desk::wait_for_agent;
use harness::{DEADLINE, Person, Server, TestDatabase, Visitor, each_database, eventually};
use serde_json::{Value, json};

use crate::support::{team, wait_for_somebody};

each_database!(returning_visitor_of_a_sticky_group_gets_their_last_agent);
async fn returning_visitor_of_a_sticky_group_gets_their_last_agent(database: TestDatabase) {
    let server = Server::start(&database).await;
    let agents = [server.person("agent", "away", 9).await, server.person("agent", "away", 9).await];
    let sticky = team(&server, RoutingStrategy::Sticky, &[&agents[0], &agents[1]]).await;
    let begin = |token: Value| json!({ "initialMessage": "Hello", "groupId": sticky, "sessionToken": token });
    let first = server.client().visitor(begin(Value::Null)).await;
    let assign = format!("/v1/conversations/{}/assign", first.conversation_id);
    agents[1].client.post(&assign, &json!({ "agentId": agents[1].id })).await.expect(200);
    first.close(&first.client).await;
    // The other one has less to do, and would be the choice of chance or of load.
    for agent in &agents {
        let path = format!("/v1/agents/{}/status", agent.id);
        agent.client.put(&path, &json!({ "status": "online" })).await.expect(200);
    }
    for _ in 0..3 {
        let again = server.client().visitor(begin(json!(first.client.token()))).await;
        assert_ne!(again.conversation_id, first.conversation_id);
        wait_for_agent(&again, &agents[1].id).await;
        again.close(&again.client).await;
        let other = server.client().visitor(begin(Value::Null)).await;
        wait_for_somebody(std::slice::from_ref(&other)).await;
    }
}

each_database!(round_robin_is_even);
async fn round_robin_is_even(database: TestDatabase) {
    let server = Server::start(&database).await;
    let agents = [server.agent(20).await, server.agent(20).await, server.agent(20).await];
    let team = team(&server, RoutingStrategy::RoundRobin, &[&agents[0], &agents[1], &agents[2]]).await;
    let client = server.client();
    let begin = || client.visitor(json!({ "initialMessage": "Hello", "groupId": team }));
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

const CHATS: usize = 120;

each_database!(round_robin_gives_each_their_turn_and_skips_who_takes_none);
async fn round_robin_gives_each_their_turn_and_skips_who_takes_none(database: TestDatabase) {
    let server = Server::start(&database).await;
    let agents = agents(&server, &[20, 20, 20, 20, 20, 20, 20]).await;
    let path = strategy(&server, "round_robin").await;
    let away = json!({ "status": "away" });
    agents[2].client.put(&format!("/v1/agents/{}/status", agents[2].id), &away).await.expect(200);
    agents[5]
        .client
        .patch(&format!("/v1/agents/{}", agents[5].id), &json!({ "acceptingChats": false }))
        .await
        .expect(200);
    let chats = begin(&server, CHATS, None).await;
    // 100 slots of five agents: the rest waits.
    let counts = wait_for(&agents, &chats, 100).await;
    assert_eq!(counts, [20, 20, 0, 20, 20, 0, 20]);
    // One chat after the other: the chats themselves show the turns.
    close(&server, &chats).await;
    let mut turns = vec![];
    for _ in 0..15 {
        let chat = begin(&server, 1, None).await;
        wait_for_all(&agents, &chat).await;
        let agent = chat[0].conversation().await["assignedAgentId"].clone();
        turns.push(agents.iter().position(|person| json!(person.id) == agent).unwrap());
        close(&server, &chat).await;
    }
    let first = turns[0];
    let ring = [0, 1, 3, 4, 6];
    let from = ring.iter().position(|place| *place == first).unwrap();
    let expected: Vec<_> = ring.iter().cycle().skip(from).take(15).copied().collect();
    assert_eq!(turns, expected);

    // Another strategy at run time: the very next chat goes by it.
    let admin = server.admin().await.client;
    admin.patch(&path, &json!({ "routingStrategy": "least_loaded" })).await.expect(200);
    let chat = begin(&server, 1, None).await;
    wait_for_all(&agents, &chat).await;
    assert_eq!(decision(&server, &chat[0]).await["strategy"], "least_loaded");
    admin.patch(&path, &json!({ "routingStrategy": "sticky" })).await.expect(200);
    let chat = begin(&server, 1, None).await;
    wait_for_all(&agents, &chat).await;
    assert_eq!(decision(&server, &chat[0]).await["strategy"], "sticky");
}

each_database!(least_loaded_fills_agents_in_proportion_to_their_limits);
async fn least_loaded_fills_agents_in_proportion_to_their_limits(database: TestDatabase) {
    let server = Server::start(&database).await;
    let limits = [5, 10, 15, 20, 20, 20, 20, 10];
    let agents = agents(&server, &limits).await;
    strategy(&server, "least_loaded").await;
    // Half of all slots, then all of them.
    let half = begin(&server, 60, None).await;
    let counts = wait_for_all(&agents, &half).await;
    for (count, limit) in counts.iter().zip(limits) {
        let fair = limit as f64 / 2.0;
        assert!((*count as f64 - fair).abs() <= 1.0, "{counts:?} of {limits:?}");
    }
    let rest = begin(&server, CHATS - 60, None).await;
    let all: Vec<_> = half.into_iter().chain(rest).collect();
    assert_eq!(wait_for_all(&agents, &all).await, limits.map(|limit| limit as usize));
}

each_database!(sticky_brings_every_visitor_back_to_their_agent_while_they_are_eligible);
async fn sticky_brings_every_visitor_back_to_their_agent_while_they_are_eligible(database: TestDatabase) {
    let server = Server::start(&database).await;
    let agents = agents(&server, &[20, 20, 20]).await;
    strategy(&server, "sticky").await;
    let first = begin(&server, 60, None).await;
    assert_eq!(wait_for_all(&agents, &first).await, [20, 20, 20]);
    let before = agents_of(&first).await;
    close(&server, &first).await;
    // In another order than at first, so that the least loaded would be somebody else.
    let mut again = vec![];
    for chat in first.iter().rev() {
        again.extend(begin(&server, 1, chat.client.token()).await);
    }
    again.reverse();
    wait_for_all(&agents, &again).await;
    assert_eq!(agents_of(&again).await, before, "all of them");
    close(&server, &again).await;

    // Their agent is away: the least loaded of the others.
    let away = json!({ "status": "away" });
    agents[0].client.put(&format!("/v1/agents/{}/status", agents[0].id), &away).await.expect(200);
    let lost: Vec<_> =
        first.iter().zip(&before).filter(|(_, agent)| **agent == agents[0].id).map(|(chat, _)| chat).collect();
    let mut third = vec![];
    for chat in lost {
        third.extend(begin(&server, 1, chat.client.token()).await);
    }
    assert_eq!(wait_for_all(&agents, &third).await, [0, 10, 10]);
}

/// Agents of the default group, in the order of their ids.
async fn agents(server: &Server, limits: &[u32]) -> Vec<Person> {
    let mut agents = vec![];
    for limit in limits {
        agents.push(server.agent(*limit).await);
    }
    assert!(agents.is_sorted_by_key(|person| person.id.clone()));
    agents
}

/// Sets the default group's strategy, and gives the group's path.
async fn strategy(server: &Server, strategy: &str) -> String {
    let admin = server.admin().await.client;
    let group = admin.get("/v1/groups").await.expect(200).body["data"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/groups/{group}");
    admin.patch(&path, &json!({ "routingStrategy": strategy })).await.expect(200);
    path
}

async fn begin(server: &Server, count: usize, token: Option<&str>) -> Vec<Visitor> {
    let starts =
        (0..count).map(|number| {
            let (client, token) = (server.client(), token.map(str::to_owned));
            async move {
                client.visitor(json!({ "initialMessage": format!("chat {number}"), "sessionToken": token })).await
            }
        });
    futures::future::join_all(starts).await
}

/// Waits until all of these chats are assigned; how many each agent has.
async fn wait_for_all(agents: &[Person], chats: &[Visitor]) -> Vec<usize> {
    wait_for(agents, chats, chats.len()).await
}

/// Waits until this number of these chats is assigned; returns the number that each agent has.
async fn wait_for(agents: &[Person], chats: &[Visitor], wanted: usize) -> Vec<usize> {
    eventually(DEADLINE, "the chats are assigned", async || {
        let assigned = agents_or_none(chats).await;
        let count = |person: &Person| assigned.iter().flatten().filter(|agent| **agent == person.id).count();
        let counts: Vec<_> = agents.iter().map(count).collect();
        if counts.iter().sum::<usize>() == wanted { Ok(counts) } else { Err(format!("{counts:?}")) }
    })
    .await
}

async fn agents_or_none(chats: &[Visitor]) -> Vec<Option<String>> {
    let chats = futures::future::join_all(chats.iter().map(Visitor::conversation)).await;
    chats.iter().map(|chat| chat["assignedAgentId"].as_str().map(str::to_owned)).collect()
}

async fn agents_of(chats: &[Visitor]) -> Vec<String> {
    agents_or_none(chats).await.into_iter().map(Option::unwrap).collect()
}

async fn close(server: &Server, chats: &[Visitor]) {
    let boss = server.admin().await.client;
    for some in chats.chunks(100) {
        let ids: Vec<_> = some.iter().map(|chat| chat.conversation_id.as_str()).collect();
        let close = json!({ "conversationIds": ids, "close": { "reason": "done" } });
        let reply = boss.post("/v1/conversations/bulk", &close).await.expect(200);
        assert_eq!(reply.body["failed"], 0, "{}", reply.body);
    }
}

async fn decision(server: &Server, chat: &Visitor) -> Value {
    let path = format!("/v1/conversations/{}/assignments", chat.conversation_id);
    let made = server.admin().await.client.get(&path).await.expect(200).body;
    made["data"].as_array().unwrap().last().unwrap()["assignment"]["decision"].clone()
}
