//! The headline cases of finding an agent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use application::ports::EventLog;
use domain::event::AnyEvent;
use harness::desk::{assert_problem, wait_for_agent};
use harness::{DEADLINE, Reply, Server, TestDatabase, Visitor, each_database, eventually};
use serde_json::{Value, json};

use crate::support::{active_chats, wait_for_agents};

each_database!(chat_that_found_nobody_goes_to_the_agent_who_logs_in_an_hour_later);
async fn chat_that_found_nobody_goes_to_the_agent_who_logs_in_an_hour_later(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.person("agent", "offline", 2).await;
    let visitor = server.visitor("Anybody?").await;
    assert_eq!(visitor.conversation().await["queuePosition"], 1);
    server.clock.advance(Duration::from_secs(3600));
    let path = format!("/v1/agents/{}/status", anna.id);
    anna.client.put(&path, &json!({ "status": "online" })).await.expect(200);
    let started = std::time::Instant::now();
    wait_for_agents(std::slice::from_ref(&visitor), 1).await;
    assert!(started.elapsed() < Duration::from_secs(2), "at once, not after {:?}", started.elapsed());
}

each_database!(seven_chats_fill_three_agents_of_two_and_one_waits_for_the_next_slot);
async fn seven_chats_fill_three_agents_of_two_and_one_waits_for_the_next_slot(database: TestDatabase) {
    let server = Server::start(&database).await;
    let agents = [server.agent(2).await, server.agent(2).await, server.agent(2).await];
    let mut visitors = vec![];
    for n in 0..7 {
        visitors.push(server.visitor(&format!("chat {n}")).await);
    }
    wait_for_agents(&visitors, 6).await;
    let mut load = BTreeMap::new();
    for visitor in &visitors[..6] {
        *load.entry(visitor.conversation().await["assignedAgentId"].to_string()).or_insert(0) += 1;
    }
    assert_eq!(load.values().copied().collect::<Vec<_>>(), [2, 2, 2]);
    let waiting = visitors[6].conversation().await;
    assert_eq!((&waiting["status"], &waiting["queuePosition"]), (&json!("pending"), &json!(1)));

    let agent = visitors[0].conversation().await["assignedAgentId"].clone();
    let agent = agents.iter().find(|person| json!(person.id) == agent).unwrap();
    visitors[0].close(&agent.client).await;
    let last = wait_for_agents(&visitors[6..], 1).await;
    assert_eq!(last[0]["assignedAgentId"], json!(agent.id));

    let path = format!("/v1/conversations/{}/assignments", visitors[6].conversation_id);
    let why = agent.client.get(&path).await.expect(200).body["data"][0]["assignment"]["decision"].clone();
    assert_eq!(why["strategy"], "least_loaded");
    let verdicts: Vec<_> = why["candidates"].as_array().unwrap().iter().map(|c| c["verdict"].clone()).collect();
    // The admin is offline; the other two are full.
    assert_eq!(verdicts, [json!("chosen"), json!("offline"), json!("at_limit"), json!("at_limit")]);
}

each_database!(chats_that_start_at_once_never_exceed_a_limit_and_wait_in_order);
async fn chats_that_start_at_once_never_exceed_a_limit_and_wait_in_order(database: TestDatabase) {
    let server = Server::start(&database).await;
    for _ in 0..5 {
        server.agent(4).await;
    }
    let starts = (0..64).map(|n| {
        let server = &server;
        async move { server.visitor(&format!("chat {n}")).await }
    });
    let visitors = futures::future::join_all(starts).await;
    wait_for_agents(&visitors, 20).await;
    // Once more: what was read while the last ones were assigned need not fit together.
    let chats = futures::future::join_all(visitors.iter().map(Visitor::conversation)).await;
    let mut places: Vec<_> = chats.iter().filter_map(|chat| chat["queuePosition"].as_i64()).collect();
    places.sort_unstable();
    assert_eq!(places, (1..=44).collect::<Vec<_>>());
    assert_sound(&server).await;
    let mut waiting: Vec<_> = chats.iter().filter(|chat| chat["status"] == "pending").collect();
    waiting.sort_by_key(|chat| chat["queuePosition"].as_i64());
    let started = starts_in_log(&server).await;
    let order: Vec<_> = waiting.iter().map(|chat| started[chat["id"].as_str().unwrap()]).collect();
    assert!(order.is_sorted(), "first come, first served");
}

each_database!(human_choice_wins_over_the_router);
async fn human_choice_wins_over_the_router(database: TestDatabase) {
    let server = Server::start(&database).await;
    let router_choice = server.agent(20).await;
    let boss = server.person("supervisor", "offline", 1).await;
    let human_choice = server.person("agent", "away", 20).await;
    for n in 0..20 {
        let visitor = server.visitor(&format!("race {n}")).await;
        let path = format!("/v1/conversations/{}/assign", visitor.conversation_id);
        let body = json!({ "agentId": human_choice.id, "reason": "knows the customer" });
        // The router is under way with the same chat.
        boss.client.post(&path, &body).await.expect(200);
        let chat = visitor.conversation().await;
        assert_eq!(chat["assignedAgentId"], json!(human_choice.id));
    }
    let quiet = server.app().log.head().await.unwrap().position;
    server.visitor("the router has gone on").await;
    eventually(DEADLINE, "the router goes on", async || {
        let agent = server.admin().await.client.get(&format!("/v1/agents/{}", router_choice.id)).await.body;
        if agent["activeChats"] == 1 { Ok(()) } else { Err(agent) }
    })
    .await;
    assert!(server.app().log.head().await.unwrap().position > quiet);
    let agent = boss.client.get(&format!("/v1/agents/{}", human_choice.id)).await.body;
    assert_eq!(agent["activeChats"], 20);
    assert_sound(&server).await;
}

each_database!(agent_who_goes_offline_gives_chats_back_in_their_old_order);
async fn agent_who_goes_offline_gives_chats_back_in_their_old_order(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(2).await;
    let mut visitors = vec![];
    for n in 0..4 {
        visitors.push(server.visitor(&format!("chat {n}")).await);
    }
    wait_for_agents(&visitors, 2).await;
    let path = format!("/v1/agents/{}/status", anna.id);
    anna.client.put(&path, &json!({ "status": "offline" })).await.expect(200);
    for (place, visitor) in visitors.iter().enumerate() {
        let chat = visitor.conversation().await;
        assert_eq!(chat["queuePosition"], json!(place + 1), "{chat}");
    }
    let events = visitors[0].client.get(&format!("/v1/threads/{}/events", visitors[0].thread_id)).await.body;
    let left = events["data"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(left["systemType"], "agent_left");
    assert_eq!(left["metadata"]["reason"], "agent_offline");
    let ben = server.agent(3).await;
    let chats = wait_for_agents(&visitors, 3).await;
    assert!(chats[..3].iter().all(|chat| chat["assignedAgentId"] == json!(ben.id)));
    assert_sound(&server).await;
}

each_database!(many_chats_in_two_seconds_are_each_assigned_once);
async fn many_chats_in_two_seconds_are_each_assigned_once(database: TestDatabase) {
    let server = Server::start(&database).await;
    for _ in 0..20 {
        server.agent(20).await;
    }
    let starts = (0..400).map(|n| {
        let server = &server;
        async move { server.visitor(&format!("chat {n}")).await }
    });
    let visitors = futures::future::join_all(starts).await;
    wait_for_agents(&visitors, 400).await;
    assert_sound(&server).await;
}

/// Walks the log and checks that no chat was assigned twice without having been given back, and that no agent had more
/// slots than their limit.
async fn assert_sound(server: &Server) {
    let mut serving: BTreeMap<uuid::Uuid, BTreeSet<uuid::Uuid>> = BTreeMap::new();
    let mut limits = BTreeMap::new();
    for event in all_events(&*server.app().log).await {
        let id = event.header.aggregate_id;
        let AnyEvent::Agent(event) = &event.event else { continue };
        use domain::agent::AgentEvent;
        use domain::ids::EntityId;
        match event {
            AgentEvent::AgentRegistered { chat_limit, .. } => {
                limits.insert(id, chat_limit.get());
            }
            AgentEvent::SlotTaken { conversation_id, over_limit, .. } => {
                let chat = conversation_id.uuid();
                let elsewhere = serving.iter().filter(|(agent, slots)| **agent != id && slots.contains(&chat)).count();
                // Taken over: the slot of the agent before is freed by the same append, after this event.
                assert!(elsewhere <= 1);
                let slots = serving.entry(id).or_default();
                assert!(slots.insert(chat), "assigned twice");
                assert!(*over_limit || slots.len() <= limits[&id], "over the limit");
            }
            AgentEvent::SlotFreed { conversation_id, .. } => {
                assert!(serving.entry(id).or_default().remove(&conversation_id.uuid()));
            }
            _ => {}
        }
    }
    let mut all: Vec<_> = serving.values().flatten().collect();
    all.sort();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count, "a chat is served by two agents");
}

async fn starts_in_log(server: &Server) -> BTreeMap<String, i64> {
    let events = all_events(&*server.app().log).await;
    let starts = events.iter().filter(|event| event.header.event_type == "ChatStarted");
    starts.map(|event| (event.header.aggregate_id.to_string(), event.header.position)).collect()
}

async fn all_events(log: &dyn EventLog) -> Vec<std::sync::Arc<application::ports::LogEvent>> {
    let mut events: Vec<std::sync::Arc<application::ports::LogEvent>> = vec![];
    loop {
        let after = events.last().map_or(0, |event| event.header.position);
        let page = log.read_after(after, 1_000).await.unwrap();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

/// The original looks for work every five seconds.
const SOON: Duration = Duration::from_secs(1);

fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

each_database!(no_way_leads_over_a_limit);
async fn no_way_leads_over_a_limit(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(2).await;
    let first = [server.visitor("one").await, server.visitor("two").await];
    for visitor in &first {
        wait_for_agent(visitor, &anna.id).await;
        visitor.close(&anna.client).await;
    }
    anna.client.put(&format!("/v1/agents/{}/status", anna.id), &json!({ "status": "away" })).await.expect(200);
    let mut all = vec![];
    for number in 0..6 {
        all.push(server.visitor(&format!("more {number}")).await);
    }
    // Taken one by one, all at the same moment.
    let me = json!({ "agentId": anna.id });
    let taken = all.iter().map(|visitor| {
        let (client, path, me) = (anna.client.clone(), visitor.chat("/assign"), me.clone());
        async move { client.post(&path, &me).await }
    });
    let taken = futures::future::join_all(taken).await;
    assert_eq!((count(&taken, 200), count(&taken, 409)), (2, 4));
    taken.iter().filter(|reply| reply.status == 409).for_each(|reply| assert_problem(reply, 409, "agent_at_capacity"));
    // Reopened: it waits.
    for visitor in &first {
        let reopened = anna.client.post(&visitor.chat("/reopen"), &json!({})).await.expect(200).body;
        assert_eq!((&reopened["status"], &reopened["assignedAgentId"]), (&json!("pending"), &Value::Null));
        assert_problem(&anna.client.post(&visitor.chat("/assign"), &me).await, 409, "agent_at_capacity");
    }
    // Handed over by a colleague.
    let ben = server.person("agent", "away", 1).await;
    let waiting = all.iter().zip(&taken).find(|(_, reply)| reply.status == 409).unwrap().0;
    ben.client.post(&waiting.chat("/assign"), &json!({ "agentId": ben.id })).await.expect(200);
    assert_problem(&ben.client.post(&waiting.chat("/transfer"), &me).await, 409, "agent_at_capacity");
    assert_eq!(waiting.conversation().await["assignedAgentId"], json!(ben.id));
    // In bulk.
    let ids: Vec<_> = all.iter().chain(&first).map(|visitor| &visitor.conversation_id).collect();
    let bulk = json!({ "conversationIds": ids, "assign": me });
    anna.client.post("/v1/conversations/bulk", &bulk).await.expect(200);
    assert_eq!(active_chats(&server, &anna).await, 2);
}

each_database!(freed_slot_goes_at_once_to_the_chat_that_waits_longest);
async fn freed_slot_goes_at_once_to_the_chat_that_waits_longest(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(1).await;
    let mut visitors = vec![];
    for number in 0..12 {
        visitors.push(server.visitor(&format!("chat {number}")).await);
    }
    wait_for_agent(&visitors[0], &anna.id).await;
    let mut waits = vec![];
    for pair in visitors.windows(2) {
        pair[0].close(&anna.client).await;
        let freed = Instant::now();
        wait_for_agent(&pair[1], &anna.id).await;
        waits.push(freed.elapsed());
    }
    waits.sort_unstable();
    assert!(waits[waits.len() / 2] < SOON, "{waits:?}");
}
