//! The same for many conversations at once.

use harness::desk::{NOBODY, assert_field, assert_problem, wait_for_agent};
use harness::{Person, Reply, Server, TestDatabase, Visitor, each_database};
use serde_json::{Value, json};

const PATH: &str = "/v1/conversations/bulk";

each_database!(each_item_is_answered_as_the_single_call_in_the_order_asked);
async fn each_item_is_answered_as_the_single_call_in_the_order_asked(database: TestDatabase) {
    let server = Server::start(&database).await;
    let boss = server.person("supervisor", "away", 20).await;
    let visitors = waiting(&server, 4).await;
    visitors[1].close(&visitors[1].client).await;
    let mut ids = ids(&visitors);
    ids.insert(2, NOBODY.to_owned());
    let close = json!({ "conversationIds": ids, "close": { "reason": "holiday", "notes": "nobody is here" } });
    let reply = boss.client.post(PATH, &close).await.expect(200);
    assert_eq!(column(&reply, "conversationId"), ids.iter().map(|id| json!(id)).collect::<Vec<_>>());
    assert_eq!(column(&reply, "status"), [200, 409, 404, 200, 200].map(|status| json!(status)));
    assert_eq!((&reply.body["succeeded"], &reply.body["failed"]), (&json!(3), &json!(2)));
    let problems = [&reply.body["data"][1]["problem"], &reply.body["data"][2]["problem"]];
    assert_eq!(problems.map(|problem| &problem["code"]), [&json!("chat_closed"), &json!("not_found")]);
    let single = boss.client.post(&visitors[1].chat("/close"), &json!({ "reason": "x" })).await;
    for field in ["type", "title", "status", "code", "detail"] {
        assert_eq!(problems[0][field], single.body[field], "{field}");
    }
    let last = column(&reply, "position").iter().filter_map(Value::as_i64).max();
    assert_eq!(Some(reply.position()), last);
    for visitor in [&visitors[0], &visitors[2], &visitors[3]] {
        assert_eq!(visitor.conversation().await["status"], "closed");
    }
    let again = boss.client.post(PATH, &close).await.expect(200);
    assert_eq!(column(&again, "status"), [200, 409, 404, 200, 200].map(|status| json!(status)));
    let otherwise = json!({ "conversationIds": ids, "close": { "reason": "holiday", "notes": "call back" } });
    let refused = boss.client.post(PATH, &otherwise).await.expect(200);
    assert_eq!(column(&refused, "status"), [409, 409, 404, 409, 409].map(|status| json!(status)));
}

each_database!(tags_go_on_and_off_and_chats_go_to_agents_and_groups);
async fn tags_go_on_and_off_and_chats_go_to_agents_and_groups(database: TestDatabase) {
    let server = Server::start(&database).await;
    let boss = server.person("supervisor", "away", 20).await;
    let (anna, ben) = (server.person("agent", "away", 20).await, server.person("agent", "away", 20).await);
    let visitors = waiting(&server, 3).await;
    let ids = ids(&visitors);
    let send = async |action: &str, body: Value| {
        let reply = boss.client.post(PATH, &json!({ "conversationIds": ids, action: body })).await.expect(200);
        assert_eq!(reply.body["succeeded"], 3, "{}", reply.body);
    };
    let all = async |field: &str| {
        let chats = futures::future::join_all(visitors.iter().map(Visitor::conversation)).await;
        chats.iter().map(|chat| chat[field].clone()).collect::<Vec<_>>()
    };
    let tag = boss.client.post("/v1/tags", &json!({ "name": "VIP" })).await.expect(201).body["id"].clone();
    send("tag", json!({ "tagId": tag })).await;
    assert_eq!(all("tagIds").await, vec![json!([tag]); 3]);
    send("tag", json!({ "tagId": tag })).await;
    send("untag", json!({ "tagId": tag })).await;
    assert_eq!(all("tagIds").await, vec![json!([]); 3]);
    send("assign", json!({ "agentId": anna.id, "reason": "hers" })).await;
    assert_eq!(all("assignedAgentId").await, vec![json!(anna.id); 3]);
    send("transfer", json!({ "agentId": ben.id })).await;
    assert_eq!(all("assignedAgentId").await, vec![json!(ben.id); 3]);
    let group = boss.client.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201).body["id"].clone();
    send("transfer", json!({ "groupId": group })).await;
    assert_eq!((all("groupId").await, all("status").await), (vec![group; 3], vec![json!("pending"); 3]));
}

each_database!(rights_are_those_of_each_single_call);
async fn rights_are_those_of_each_single_call(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, ben) = (server.person("agent", "away", 20).await, server.person("agent", "away", 20).await);
    let boss = server.person("supervisor", "away", 20).await;
    let visitors = waiting(&server, 3).await;
    let group = boss.client.post("/v1/groups", &json!({ "name": "Others" })).await.expect(201).body["id"].clone();
    boss.client.post(&visitors[2].chat("/transfer"), &json!({ "groupId": group })).await.expect(200);
    for (person, visitor) in [(&anna, &visitors[0]), (&ben, &visitors[1])] {
        person.client.post(&visitor.chat("/assign"), &json!({ "agentId": person.id })).await.expect(200);
    }
    // Her own; a colleague's, which she may read; one of another group, which she may not.
    let close = json!({ "conversationIds": ids(&visitors), "close": { "reason": "done" } });
    let reply = anna.client.post(PATH, &close).await.expect(200);
    assert_eq!(column(&reply, "status"), [200, 403, 404].map(|status| json!(status)));
    assert_problem(&visitors[0].client.post(PATH, &close).await, 403, "forbidden");
    assert_problem(&server.client().post(PATH, &close).await, 401, "unauthorized");
    assert_eq!(visitors[1].conversation().await["status"], "active");
}

each_database!(limit_holds_and_the_first_asked_for_come_first);
async fn limit_holds_and_the_first_asked_for_come_first(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.person("agent", "away", 3).await;
    let visitors = waiting(&server, 8).await;
    let assign = json!({ "conversationIds": ids(&visitors), "assign": { "agentId": anna.id } });
    let reply = anna.client.post(PATH, &assign).await.expect(200);
    let expected = [200, 200, 200, 409, 409, 409, 409, 409].map(|status| json!(status));
    assert_eq!(column(&reply, "status"), expected);
    assert_eq!(reply.body["data"][3]["problem"]["code"], "agent_at_capacity");
    let me = anna.client.get("/v1/auth/me").await.expect(200).body;
    assert_eq!(me["activeChats"], 3);
}

each_database!(repeated_request_gets_the_first_answer_and_changes_nothing);
async fn repeated_request_gets_the_first_answer_and_changes_nothing(database: TestDatabase) {
    let server = Server::start(&database).await;
    let boss = server.person("supervisor", "away", 20).await;
    let visitors = waiting(&server, 3).await;
    let close = json!({ "conversationIds": ids(&visitors), "close": { "reason": "done" } });
    let keyed = boss.client.with_header("Idempotency-Key", "bulk-1");
    let first = keyed.post(PATH, &close).await.expect(200);
    assert_eq!(first.header("idempotent-replayed"), None);
    visitors[0].client.post(&visitors[0].chat("/reopen"), &json!({})).await.expect(200);
    let again = keyed.post(PATH, &close).await.expect(200);
    assert_eq!((again.header("idempotent-replayed"), &again.body), (Some("true"), &first.body));
    assert_eq!(visitors[0].conversation().await["status"], "pending", "it was not closed again");
    let other = json!({ "conversationIds": ids(&visitors[..2]), "close": { "reason": "done" } });
    assert_problem(&keyed.post(PATH, &other).await, 422, "idempotency_key_reused");
}

each_database!(request_that_was_broken_off_is_finished_by_its_repetition);
/// The answer was never kept: what was done before the crash is reported as done, the rest is done now.
async fn request_that_was_broken_off_is_finished_by_its_repetition(database: TestDatabase) {
    let server = Server::start(&database).await;
    let boss = server.person("supervisor", "away", 20).await;
    let anna = server.person("agent", "away", 20).await;
    let visitors = waiting(&server, 4).await;
    let assign = json!({ "conversationIds": ids(&visitors), "assign": { "agentId": anna.id } });
    let keyed = boss.client.with_header("Idempotency-Key", "bulk-2");
    // Both at once: whichever of them gets to a chat first, the other finds it done.
    let (one, two) = tokio::join!(keyed.post(PATH, &assign), keyed.post(PATH, &assign));
    for reply in [one, two] {
        assert_eq!(column(&reply.expect(200), "status"), vec![json!(200); 4]);
    }
    for visitor in &visitors {
        let made = boss.client.get(&visitor.chat("/assignments")).await.expect(200).body;
        assert_eq!(made["data"].as_array().unwrap().len(), 1, "once, not twice");
    }
    assert_eq!(anna.client.get("/v1/auth/me").await.expect(200).body["activeChats"], 4);
}

each_database!(request_that_makes_no_sense_is_refused_as_a_whole);
async fn request_that_makes_no_sense_is_refused_as_a_whole(database: TestDatabase) {
    let server = Server::start(&database).await;
    let boss = server.person("supervisor", "away", 20).await.client;
    let close = json!({ "reason": "done" });
    let field = "conversationIds";
    let post = async |ids: Value, action: &str, body: Value| {
        boss.post(PATH, &json!({ "conversationIds": ids, action: body })).await
    };
    assert_field(&post(json!([]), "close", close.clone()).await, field, "1 to 100");
    assert_field(&post(json!(vec![NOBODY; 101]), "close", close.clone()).await, field, "1 to 100");
    assert_field(&post(json!([NOBODY, NOBODY]), "close", close.clone()).await, field, "once");
    assert_field(&post(json!(["x"]), "close", close.clone()).await, field, "UUIDs");
    assert_field(&boss.post(PATH, &json!({ field: [NOBODY] })).await, field, "exactly one");
    let both = json!({ field: [NOBODY], "close": close, "tag": { "tagId": NOBODY } });
    assert_field(&boss.post(PATH, &both).await, field, "exactly one");
    assert_field(&post(json!([NOBODY]), "close", json!({ "reason": "" })).await, "close.reason", "");
    assert_field(&post(json!([NOBODY]), "tag", json!({ "tagId": "x" })).await, "tag.tagId", "UUID");
    assert_field(&post(json!([NOBODY]), "transfer", json!({})).await, "transfer.agentId", "either");
    assert_field(&post(json!([NOBODY]), "delete", json!({})).await, "delete", "is not known");
    let unknown = post(json!([NOBODY]), "assign", json!({ "agentId": NOBODY })).await.expect(200);
    assert_eq!(column(&unknown, "status"), [json!(404)]);
}

each_database!(hundred_chats_are_closed_at_once);
async fn hundred_chats_are_closed_at_once(database: TestDatabase) {
    let server = Server::start(&database).await;
    let boss = server.person("supervisor", "away", 20).await;
    let agents = [server.agent(20).await, server.agent(20).await];
    let visitors = waiting(&server, 100).await;
    // Some are served meanwhile, by two agents whose slots they share.
    wait_for_agent(&visitors[0], &agents[0].id).await;
    let close = json!({ "conversationIds": ids(&visitors), "close": { "reason": "done" } });
    let reply = boss.client.post(PATH, &close).await.expect(200);
    assert_eq!(reply.body["succeeded"], 100, "{}", reply.body);
    for agent in &agents {
        assert_eq!(active_chats(agent).await, 0);
    }
}

async fn active_chats(person: &Person) -> Value {
    person.client.get("/v1/auth/me").await.expect(200).body["activeChats"].clone()
}

/// Chats in the order in which they began.
async fn waiting(server: &Server, count: usize) -> Vec<Visitor> {
    let mut visitors = vec![];
    for number in 0..count {
        visitors.push(server.visitor(&format!("chat {number}")).await);
    }
    visitors
}

fn ids(visitors: &[Visitor]) -> Vec<String> {
    visitors.iter().map(|visitor| visitor.conversation_id.clone()).collect()
}

fn column(reply: &Reply, field: &str) -> Vec<Value> {
    reply.body["data"].as_array().unwrap().iter().map(|result| result[field].clone()).collect()
}
