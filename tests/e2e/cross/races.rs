//! Two people act on the same thing at the same moment: one success, one clear refusal, never a lost update.

use harness::desk::{assert_problem, wait_for_agent};
use harness::{Client, Person, Reply, Server, TestDatabase, Visitor, each_database};
use reqwest::Method;
use serde_json::{Value, json};

/// So many races of each kind: in a single one, one of the two may be done before the other begins.
const ROUNDS: usize = 6;

/// What somebody does.
struct Move {
    client: Client,
    method: Method,
    path: String,
    body: Option<Value>,
}

fn post(client: &Client, path: String, body: Value) -> Move {
    Move { client: client.clone(), method: Method::POST, path, body: Some(body) }
}

fn patch(client: &Client, path: &str, body: Value) -> Move {
    Move { client: client.clone(), method: Method::PATCH, path: path.to_owned(), body: Some(body) }
}

fn delete(client: &Client, path: &str) -> Move {
    Move { client: client.clone(), method: Method::DELETE, path: path.to_owned(), body: None }
}

/// Both know what the thing is like now.
fn knowing(version: &Value, moves: [Move; 2]) -> [Move; 2] {
    let version = format!("\"{version}\"");
    moves.map(|one| Move { client: one.client.with_header("If-Match", &version), ..one })
}

async fn go(one: Move) -> Reply {
    one.client.request(one.method, &one.path, one.body.as_ref()).await
}

/// Makes both moves at once; gives the place of the winner and both answers. Whoever loses is refused with one of these.
async fn race(moves: [Move; 2], refusals: &[(u16, &str)]) -> (usize, [Reply; 2]) {
    let [one, other] = moves;
    let (one, other) = tokio::join!(go(one), go(other));
    let won = |reply: &Reply| reply.status == 200 || reply.status == 201;
    assert!(won(&one) != won(&other), "{} {} and {} {}", one.status, one.body, other.status, other.body);
    let winner = usize::from(won(&other));
    let replies = [one, other];
    let loser = &replies[1 - winner];
    let code = refusals.iter().find(|(status, code)| loser.status == *status && loser.body["code"] == *code);
    let (status, code) = code.unwrap_or_else(|| panic!("{} {}", loser.status, loser.body));
    if *status != 412 {
        assert_problem(loser, *status, code);
    }
    (winner, replies)
}

const MOVED: (u16, &str) = (412, "version_moved");

/// A chat at this agent, who takes it themselves: nobody is online.
async fn served_by(server: &Server, agent: &Person) -> Visitor {
    let visitor = server.visitor("Hello").await;
    agent.client.post(&visitor.chat("/assign"), &json!({ "agentId": agent.id })).await.expect(200);
    visitor
}

async fn version(visitor: &Visitor) -> Value {
    visitor.conversation().await["version"].clone()
}

/// Changes of a thing from two sides, and a change against its end.
async fn thing_is_changed_by_one_of_two(boss: &Client, other: &Client, at: &str) {
    for round in 0..ROUNDS {
        let before = boss.get(at).await.expect(200).body;
        let names = [format!("One {round}"), format!("Other {round}")];
        let moves = [patch(boss, at, json!({ "name": names[0] })), patch(other, at, json!({ "name": names[1] }))];
        let (winner, replies) = race(knowing(&before["version"], moves), &[MOVED]).await;
        let after = boss.get(at).await.expect(200).body;
        assert_eq!(after["name"], json!(names[winner]));
        assert_eq!(after["version"].as_i64(), before["version"].as_i64().map(|version| version + 1));
        assert_eq!(replies[1 - winner].body["currentVersion"], after["version"]);

        let moves = [patch(boss, at, json!({ "name": "Kept" })), delete(other, at)];
        let (winner, _) = race(knowing(&after["version"], moves), &[MOVED, (404, "not_found")]).await;
        if winner == 1 {
            assert_problem(&boss.get(at).await, 404, "not_found");
            let restored = other.post(&format!("{at}/restore"), &json!({})).await.expect(200).body;
            assert_eq!(restored["name"], after["name"], "the refused change left nothing behind");
        } else {
            assert_eq!(other.get(at).await.expect(200).body["name"], "Kept");
        }
    }
}

each_database!(visitor_who_comes_back_while_the_chat_is_closed_is_shown_where_they_have_written);
async fn visitor_who_comes_back_while_the_chat_is_closed_is_shown_where_they_have_written(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    for _ in 0..ROUNDS {
        let vera = server.visitor("Hello").await;
        let back = json!({ "name": "Veronika", "initialMessage": "Again", "sessionToken": vera.client.token() });
        let anyone = server.client();
        let (closed, session) = tokio::join!(
            go(post(&admin, vera.chat("/close"), json!({ "reason": "done" }))),
            go(post(&anyone, "/v1/widget/session".to_owned(), back)),
        );
        closed.expect(200);
        let written = session.expect(201).text("/conversationId").to_owned();
        for chat in [&written, &vera.conversation_id] {
            let shown = admin.get(&format!("/v1/conversations/{chat}")).await.expect(200).body;
            assert_eq!(shown["visitor"]["name"] == "Veronika", *chat == written, "{shown}");
        }
    }
}

each_database!(agents_groups_and_tags_are_changed_by_one_of_two);
async fn agents_groups_and_tags_are_changed_by_one_of_two(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let other = server.person("admin", "offline", 1).await.client;
    let agent = server.person("agent", "away", 2).await;
    let group = admin.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201);
    let tag = admin.post("/v1/tags", &json!({ "name": "VIP" })).await.expect(201);
    for at in [
        format!("/v1/agents/{}", agent.id),
        format!("/v1/groups/{}", group.text("/id")),
        format!("/v1/tags/{}", tag.text("/id")),
    ] {
        thing_is_changed_by_one_of_two(&admin, &other, &at).await;
    }
}

each_database!(waiting_chat_is_taken_by_one_of_two);
async fn waiting_chat_is_taken_by_one_of_two(database: TestDatabase) {
    let server = Server::start(&database).await;
    let people = [server.person("agent", "away", 20).await, server.person("agent", "away", 20).await];
    for _ in 0..ROUNDS {
        let visitor = server.visitor("Hello").await;
        let take = |person: &Person| post(&person.client, visitor.chat("/assign"), json!({ "agentId": person.id }));
        let (winner, _) = race([take(&people[0]), take(&people[1])], &[(409, "already_assigned")]).await;
        assert_eq!(visitor.conversation().await["assignedAgentId"], json!(people[winner].id));
    }
    let mut active = vec![];
    for person in &people {
        active.push(person.client.get("/v1/auth/me").await.expect(200).body["activeChats"].as_u64().unwrap());
    }
    assert_eq!(active.iter().sum::<u64>(), ROUNDS as u64);
}

each_database!(last_free_slot_is_taken_by_one_of_two_chats);
async fn last_free_slot_is_taken_by_one_of_two_chats(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.person("agent", "away", 1).await;
    for _ in 0..ROUNDS {
        let visitors = [server.visitor("one").await, server.visitor("other").await];
        let take = |visitor: &Visitor| post(&anna.client, visitor.chat("/assign"), json!({ "agentId": anna.id }));
        let (winner, _) = race([take(&visitors[0]), take(&visitors[1])], &[(409, "agent_at_capacity")]).await;
        assert_eq!(anna.client.get("/v1/auth/me").await.body["activeChats"], 1);
        let close = json!({ "reason": "done" });
        anna.client.post(&visitors[winner].chat("/close"), &close).await.expect(200);
        visitors[1 - winner].client.post(&visitors[1 - winner].chat("/close"), &close).await.expect(200);
    }
}

each_database!(chat_is_assigned_transferred_or_closed_by_one_of_two_who_saw_it);
async fn chat_is_assigned_transferred_or_closed_by_one_of_two_who_saw_it(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.person("agent", "away", 20).await;
    let targets = [server.person("agent", "away", 20).await, server.person("agent", "away", 20).await];
    let bosses = [server.person("supervisor", "away", 1).await, server.person("supervisor", "away", 1).await];
    let sales = bosses[0].client.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201);
    let to = |place: usize| json!({ "agentId": targets[place].id });
    let done = || json!({ "reason": "done" });
    for _ in 0..ROUNDS {
        let visitor = served_by(&server, &anna).await;
        let at = |end: &str| visitor.chat(end);
        let moves = [post(&bosses[0].client, at("/assign"), to(0)), post(&bosses[1].client, at("/assign"), to(1))];
        let (winner, _) = race(knowing(&version(&visitor).await, moves), &[MOVED]).await;
        let holder = &targets[winner];
        assert_eq!(visitor.conversation().await["assignedAgentId"], json!(holder.id));

        let to_group = json!({ "groupId": sales.body["id"] });
        let back = json!({ "agentId": anna.id });
        let moves = [post(&holder.client, at("/transfer"), back), post(&bosses[0].client, at("/transfer"), to_group)];
        let (winner, _) = race(knowing(&version(&visitor).await, moves), &[MOVED]).await;
        let chat = visitor.conversation().await;
        let expected = if winner == 0 { json!(anna.id) } else { Value::Null };
        assert_eq!(chat["assignedAgentId"], expected);

        let moves = [post(&bosses[0].client, at("/close"), done()), post(&bosses[1].client, at("/assign"), to(0))];
        let (winner, _) = race(knowing(&version(&visitor).await, moves), &[MOVED, (409, "chat_closed")]).await;
        let chat = visitor.conversation().await;
        assert_eq!(chat["status"], json!(if winner == 0 { "closed" } else { "active" }));
    }
}

each_database!(chat_is_closed_by_one_of_two);
async fn chat_is_closed_by_one_of_two(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.person("agent", "away", 20).await;
    let boss = server.person("supervisor", "away", 1).await;
    for _ in 0..ROUNDS {
        let visitor = served_by(&server, &anna).await;
        let close = |client| post(client, visitor.chat("/close"), json!({ "reason": "done" }));
        let (winner, replies) = race([close(&anna.client), close(&boss.client)], &[(409, "chat_closed")]).await;
        let events = visitor.client.get(&format!("/v1/threads/{}/events", visitor.thread_id)).await.body;
        let closed: Vec<_> =
            events["data"].as_array().unwrap().iter().filter(|event| event["systemType"] == "thread_closed").collect();
        assert_eq!(closed.len(), 1);
        assert_eq!(closed[0]["metadata"]["closedBy"]["id"], json!([&anna, &boss][winner].id));
        assert_eq!(replies[winner].body["closedAt"], visitor.conversation().await["closedAt"]);
    }
}

each_database!(version_of_a_chat_is_told_to_nobody_whom_it_does_not_concern);
async fn version_of_a_chat_is_told_to_nobody_whom_it_does_not_concern(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(5).await;
    let (visitor, stranger) = (server.visitor("mine").await, server.visitor("theirs").await);
    wait_for_agent(&visitor, &anna.id).await;
    let close = json!({ "reason": "done" });
    let outdated = stranger.client.with_header("If-Match", "\"1\"");
    assert_problem(&outdated.post(&visitor.chat("/close"), &close).await, 404, "not_found");
    let outdated = anna.client.with_header("If-Match", "\"1\"").post(&visitor.chat("/close"), &close).await;
    assert_eq!((outdated.status, &outdated.body["code"]), (412, &json!("version_moved")));
    assert_eq!(outdated.body["currentVersion"], version(&visitor).await);
    let known = format!("\"{}\"", version(&visitor).await);
    anna.client.with_header("If-Match", &known).post(&visitor.chat("/close"), &close).await.expect(200);
}
