//! The thread records every change of hands, and no chat is left with somebody who is not there.

use domain::agent::{Agent, AgentCommand, AgentStatus, StatusCause};
use harness::desk::wait_for_agent;
use harness::{Client, DEADLINE, Person, Server, TestDatabase, Visitor, each_database, eventually};
use serde_json::{Value, json};

use crate::support::tell;

each_database!(thread_tells_of_every_change_of_hands_and_why);
async fn thread_tells_of_every_change_of_hands_and_why(database: TestDatabase) {
    let server = Server::start(&database).await;
    let boss = server.person("supervisor", "away", 9).await;
    let anna = server.agent(5).await;
    let (ben, cara) = (server.person("agent", "away", 5).await, server.person("agent", "away", 5).await);
    let chat = server.visitor("Hello").await;
    wait_for_agent(&chat, &anna.id).await;
    let assign = async |by: &Person, to: &Person| {
        by.client.post(&chat.chat("/assign"), &json!({ "agentId": to.id })).await.expect(200);
    };
    let transfer = async |by: &Person, to: Value| {
        by.client.post(&chat.chat("/transfer"), &to).await.expect(200);
    };
    assign(&boss, &ben).await;
    transfer(&ben, json!({ "agentId": cara.id })).await;
    let sales = group(&boss, "Sales").await;
    transfer(&cara, json!({ "groupId": sales })).await;
    // Nobody is in that group: it waits, and is handed on.
    let support = group(&boss, "Support").await;
    transfer(&boss, json!({ "groupId": support })).await;
    boss.client.post(&format!("/v1/groups/{support}/agents"), &json!({ "agentIds": [ben.id] })).await.expect(200);
    assign(&ben, &ben).await;
    boss.client.delete(&format!("/v1/groups/{support}/agents/{}", ben.id)).await.expect(200);
    let default = boss.client.get("/v1/groups").await.body["data"][0]["id"].clone();
    boss.client.put(&format!("/v1/agents/{}/status", anna.id), &json!({ "status": "away" })).await.expect(200);
    boss.client.delete(&format!("/v1/groups/{support}")).await.expect(200);
    wait_for_group(&chat, &default).await;
    assign(&anna, &anna).await;
    boss.client.put(&format!("/v1/agents/{}/status", anna.id), &json!({ "status": "offline" })).await.expect(200);
    assign(&ben, &ben).await;
    server.admin().await.client.delete(&format!("/v1/agents/{}", ben.id)).await.expect(200);
    chat.client.post(&chat.chat("/close"), &json!({ "reason": "bored" })).await.expect(200);

    let joined = |who: &Person, cause: &str| json!(["agent_joined", who.id, cause]);
    let left = |who: &Person, reason: &str| json!(["agent_left", who.id, reason]);
    let moved = |to: &Value, reason: &str| json!(["group_changed", to, reason]);
    let expected = [
        json!(["thread_started", null, null]),
        joined(&anna, "routed"),
        left(&anna, "reassigned"),
        joined(&ben, "assigned"),
        left(&ben, "reassigned"),
        joined(&cara, "transferred"),
        left(&cara, "transferred"),
        moved(&json!(sales), "transferred"),
        moved(&json!(support), "transferred"),
        joined(&ben, "taken"),
        left(&ben, "agent_left_group"),
        moved(&default, "group_deleted"),
        joined(&anna, "taken"),
        left(&anna, "agent_offline"),
        joined(&ben, "taken"),
        left(&ben, "agent_deleted"),
        json!(["thread_closed", null, null]),
    ];
    let told = system_events(&chat).await;
    assert_eq!(told, expected, "{told:#?}");
}

each_database!(chats_stay_where_they_are_when_a_change_is_refused_as_outdated);
async fn chats_stay_where_they_are_when_a_change_is_refused_as_outdated(database: TestDatabase) {
    let server = Server::start(&database).await;
    let boss = server.admin().await;
    let admin = &boss.client;
    let anna = server.agent(3).await;
    let chat = server.visitor("Hello").await;
    wait_for_agent(&chat, &anna.id).await;
    let sales = format!("/v1/groups/{}", group(&boss, "Sales").await);
    admin.post(&format!("{sales}/agents"), &json!({ "agentIds": [anna.id] })).await.expect(200);
    let to_sales = json!({ "groupId": sales.rsplit('/').next() });
    anna.client.post(&chat.chat("/transfer"), &to_sales).await.expect(200);
    wait_for_agent(&chat, &anna.id).await;
    let before = (chat.conversation().await, system_events(&chat).await);
    let agent = format!("/v1/agents/{}", anna.id);
    let change = async |client: &Client, way: &str| match way {
        "offline" => client.put(&format!("{agent}/status"), &json!({ "status": "offline" })).await,
        "leave" => client.delete(&format!("{sales}/agents/{}", anna.id)).await,
        "without group" => client.delete(&sales).await,
        _ => client.delete(&agent).await,
    };
    let ways = [("offline", &agent), ("leave", &sales), ("without group", &sales), ("deleted", &agent)];
    for (way, thing) in ways {
        let version = admin.get(thing).await.expect(200).body["version"].as_i64().unwrap();
        let outdated = admin.with_header("If-Match", &format!("\"{}\"", version - 1));
        change(&outdated, way).await.expect(412);
        assert_eq!((chat.conversation().await, system_events(&chat).await), before, "{way}");
    }
    // The same changes of what they are known to be move it.
    for (way, thing) in ways {
        let version = admin.get(thing).await.expect(200).body["version"].as_i64().unwrap();
        let known = admin.with_header("If-Match", &format!("\"{version}\""));
        change(&known, way).await.expect(200);
        assert_ne!((chat.conversation().await, system_events(&chat).await), before, "{way}");
    }
}

each_database!(all_chats_of_whoever_leaves_wait_again_in_their_order_and_their_threads_say_why);
async fn all_chats_of_whoever_leaves_wait_again_in_their_order_and_their_threads_say_why(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await;
    for deleted in [false, true] {
        let anna = server.agent(3).await;
        let mut chats = vec![];
        for number in 0..3 {
            chats.push(server.visitor(&format!("chat {number}")).await);
            wait_for_agent(&chats[number], &anna.id).await;
        }
        // Later visitors wait behind them.
        chats.push(server.visitor("late").await);
        let path = format!("/v1/agents/{}", anna.id);
        if deleted {
            admin.client.delete(&path).await.expect(200);
        } else {
            let offline = json!({ "status": "offline" });
            anna.client.put(&format!("{path}/status"), &offline).await.expect(200);
        }
        let reason = if deleted { "agent_deleted" } else { "agent_offline" };
        for (number, chat) in chats.iter().enumerate() {
            let view = chat.conversation().await;
            assert_eq!((&view["status"], &view["queuePosition"]), (&json!("pending"), &json!(number + 1)));
            let told = system_events(chat).await;
            let last = told.last().unwrap();
            if number < 3 {
                assert_eq!(last, &json!(["agent_left", anna.id, reason]));
            } else {
                assert_eq!(last[0], "thread_started");
            }
        }
        for chat in &chats {
            chat.client.post(&chat.chat("/close"), &json!({ "reason": "x" })).await.expect(200);
        }
    }
}

each_database!(any_number_of_chats_is_given_back);
/// More chats than one append gives back, by a supervisor's choice.
async fn any_number_of_chats_is_given_back(database: TestDatabase) {
    let server = Server::start(&database).await;
    let boss = server.person("supervisor", "away", 1).await;
    let (anna, ben) = (server.person("agent", "away", 1).await, server.person("agent", "away", 1).await);
    let starts = (0..240).map(|number| {
        let client = server.client();
        async move { client.visitor(json!({ "initialMessage": format!("chat {number}") })).await }
    });
    let chats = futures::future::join_all(starts).await;
    for (person, deleted) in [(&anna, false), (&ben, true)] {
        wait_until_queued(&server, chats.len()).await;
        for some in chats.chunks(100) {
            let ids: Vec<_> = some.iter().map(|chat| chat.conversation_id.as_str()).collect();
            let assign = json!({ "conversationIds": ids, "assign": { "agentId": person.id } });
            let reply = boss.client.post("/v1/conversations/bulk", &assign).await.expect(200);
            assert_eq!(reply.body["failed"], 0, "{}", reply.body);
        }
        wait_until_queued(&server, 0).await;
        let path = format!("/v1/agents/{}", person.id);
        if deleted {
            server.admin().await.client.delete(&path).await.expect(200);
        } else {
            let offline = json!({ "status": "offline" });
            person.client.put(&format!("{path}/status"), &offline).await.expect(200);
        }
        wait_until_queued(&server, chats.len()).await;
        let reason = if deleted { "agent_deleted" } else { "agent_offline" };
        for chat in [&chats[0], &chats[120], &chats[239]] {
            wait_for_last_system_event(chat, &json!(["agent_left", person.id, reason])).await;
        }
    }
}

each_database!(group_gives_up_a_member_with_any_number_of_chats);
async fn group_gives_up_a_member_with_any_number_of_chats(database: TestDatabase) {
    let server = Server::start(&database).await;
    let boss = server.person("supervisor", "away", 1).await;
    let anna = server.person("agent", "away", 1).await;
    let starts = (0..220).map(|number| {
        let client = server.client();
        async move { client.visitor(json!({ "initialMessage": format!("chat {number}") })).await }
    });
    let chats = futures::future::join_all(starts).await;
    for some in chats.chunks(100) {
        let ids: Vec<_> = some.iter().map(|chat| chat.conversation_id.as_str()).collect();
        let assign = json!({ "conversationIds": ids, "assign": { "agentId": anna.id } });
        assert_eq!(boss.client.post("/v1/conversations/bulk", &assign).await.expect(200).body["failed"], 0);
    }
    wait_until_queued(&server, 0).await;
    let group = boss.client.get("/v1/groups").await.body["data"][0].clone();
    let member = format!("/v1/groups/{}/agents/{}", group["id"].as_str().unwrap(), anna.id);
    let known = |version: i64| boss.client.with_header("If-Match", &format!("\"{version}\""));
    let version = group["version"].as_i64().unwrap();
    known(version - 1).delete(&member).await.expect(412);
    let path = format!("/v1/agents/{}", anna.id);
    let active = server.admin().await.client.get(&path).await.expect(200).body["activeChats"].clone();
    assert_eq!(active, chats.len(), "what is refused gives nothing back");
    known(version).delete(&member).await.expect(200);
    wait_until_queued(&server, chats.len()).await;
}

each_database!(chats_that_were_left_with_an_absent_agent_are_given_back);
/// As after a crash between the append that took the agent offline and those that follow it.
async fn chats_that_were_left_with_an_absent_agent_are_given_back(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(3).await;
    let chat = server.visitor("Hello").await;
    wait_for_agent(&chat, &anna.id).await;
    let id = anna.id.parse().unwrap();
    let offline = AgentCommand::SetStatus {
        status: AgentStatus::Offline,
        cause: StatusCause::SetBy { id },
        at: server.app().bus.now(),
    };
    tell::<Agent>(&server, id, offline).await;
    wait_until_queued(&server, 1).await;
    wait_for_last_system_event(&chat, &json!(["agent_left", anna.id, "agent_offline"])).await;
}

async fn group(boss: &Person, name: &str) -> String {
    boss.client.post("/v1/groups", &json!({ "name": name })).await.expect(201).text("/id").to_owned()
}

/// Each system event: what, about whom, and why.
async fn system_events(visitor: &Visitor) -> Vec<Value> {
    let path = format!("/v1/threads/{}/events?limit=100", visitor.thread_id);
    let events = visitor.client.get(&path).await.expect(200).body["data"].as_array().unwrap().clone();
    let told = |event: &Value| {
        let facts = &event["metadata"];
        let about = facts.get("agentId").or_else(|| facts.get("groupId"));
        let why = facts.get("cause").or_else(|| facts.get("reason"));
        json!([event["systemType"], about, why])
    };
    events.iter().filter(|event| event["type"] == "system").map(told).collect()
}

/// The queue's view and the thread's view follow the log each at its own pace.
async fn wait_for_last_system_event(visitor: &Visitor, expected: &Value) {
    eventually(DEADLINE, "the thread says so", async || {
        let told = system_events(visitor).await;
        if told.last() == Some(expected) { Ok(()) } else { Err(json!(told)) }
    })
    .await;
}

async fn wait_for_group(visitor: &Visitor, group: &Value) {
    eventually(DEADLINE, "the chat is in the group", async || {
        let chat = visitor.conversation().await;
        if &chat["groupId"] == group { Ok(()) } else { Err(chat) }
    })
    .await;
}

async fn wait_until_queued(server: &Server, count: usize) {
    let boss = server.admin().await.client;
    eventually(DEADLINE, "the chats wait", async || {
        let stats = boss.get("/v1/queue/stats").await.expect(200).body;
        // A group in which nobody waits is not listed.
        if stats["data"][0]["waiting"].as_u64().unwrap_or(0) == count as u64 { Ok(()) } else { Err(stats) }
    })
    .await;
}
