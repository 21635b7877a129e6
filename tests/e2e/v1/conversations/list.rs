//! Lists of conversations as a desk uses them: filters, search and counts.

use harness::{Client, Server, TestDatabase, each_database};
use serde_json::{Value, json};

use crate::office::{Office, ids, of};

async fn counts(client: &Client, query: &str) -> [i64; 4] {
    let body = client.get(&format!("/v1/conversations/counts{query}")).await.expect(200).body;
    ["pending", "active", "closed", "total"].map(|field| body[field].as_i64().unwrap())
}

each_database!(chats_are_filtered_by_tag_and_agents_by_group);
async fn chats_are_filtered_by_tag_and_agents_by_group(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let ids = |list: &Value| list["data"].as_array().unwrap().iter().map(|of| of["id"].clone()).collect::<Vec<_>>();
    let (tagged, bare) = (server.visitor("Hello").await, server.visitor("Hello").await);
    let tag = admin.post("/v1/tags", &json!({ "name": "VIP" })).await.expect(201).body["id"].clone();
    let path = format!("/v1/conversations/{}/tags", tagged.conversation_id);
    let with_tag = format!("/v1/conversations?tagId={}", tag.as_str().unwrap());
    assert_eq!(ids(&admin.get(&with_tag).await.expect(200).body), [] as [Value; 0]);
    admin.post(&path, &json!({ "tagId": tag })).await.expect(200);
    assert_eq!(ids(&admin.get(&with_tag).await.expect(200).body), [json!(tagged.conversation_id)]);
    assert!(ids(&admin.get("/v1/conversations").await.expect(200).body).contains(&json!(bare.conversation_id)));

    let (member, other) = (server.person("agent", "away", 1).await, server.person("agent", "away", 1).await);
    let group = admin.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201).body["id"].clone();
    let group = group.as_str().unwrap();
    let in_group = format!("/v1/agents?groupId={group}");
    assert_eq!(ids(&admin.get(&in_group).await.expect(200).body), [] as [Value; 0]);
    admin.post(&format!("/v1/groups/{group}/agents"), &json!({ "agentIds": [member.id] })).await.expect(200);
    assert_eq!(ids(&admin.get(&in_group).await.expect(200).body), [json!(member.id)]);
    assert!(ids(&admin.get("/v1/agents").await.expect(200).body).contains(&json!(other.id)));
    for path in ["/v1/conversations?tagId=x", "/v1/agents?groupId=x"] {
        admin.get(path).await.expect(400);
    }
}

each_database!(what_was_just_written_is_found_by_whoever_may_see_it);
async fn what_was_just_written_is_found_by_whoever_may_see_it(database: TestDatabase) {
    let office = Office::open(&database).await;
    let vera = office.chat(&office.general, "Zoë", "Where is my parcel?").await;
    let olaf = office.chat(&office.sales, "Olaf", "A parcel is broken").await;
    let search = |words: &str| format!("/v1/conversations?search={words}");
    assert_eq!(ids(&office.admin, &search("parcel")).await, of(&[&olaf, &vera]));
    assert_eq!(ids(&office.admin, &search("PARC")).await, of(&[&olaf, &vera]));
    assert_eq!(ids(&office.admin, &search("parc%20")).await, of(&[]));
    assert_eq!(ids(&office.admin, &search("zoe")).await, of(&[&vera]));
    assert_eq!(ids(&office.admin, &search("olaf%40example.com")).await, of(&[&olaf]));
    assert_eq!(ids(&office.admin, &search("parcel%20broken")).await, of(&[&olaf]));
    assert_eq!(ids(&office.admin, &search("%27%22*%25")).await, of(&[]));
    assert_eq!(ids(&office.admin, &search("")).await, of(&[&olaf, &vera]));
    assert_eq!(ids(&office.agent.client, &search("parcel")).await, of(&[&olaf]));
    assert_eq!(ids(&office.agent.client, &search("zoe")).await, of(&[]));

    let path = format!("/v1/conversations/{}/events", vera.conversation_id);
    for number in 0..10 {
        vera.client.post(&path, &json!({ "content": format!("reference X{number}Y") })).await.expect(201);
        assert_eq!(ids(&office.admin, &search(&format!("x{number}y"))).await, of(&[&vera]));
    }
    office
        .admin
        .post(&format!("/v1/conversations/{}/assign", vera.conversation_id), &json!({ "agentId": office.agent.id }))
        .await
        .expect(200);
    assert_eq!(ids(&office.agent.client, &search("parcel")).await, of(&[&olaf, &vera]));
    let filtered = format!("{}&agentId={}&status=active", search("parcel"), office.agent.id);
    assert_eq!(ids(&office.admin, &filtered).await, of(&[&vera]));
    let filtered = format!("{}&groupId={}&sort=longest_waiting", search("parcel"), office.sales);
    assert_eq!(ids(&office.agent.client, &filtered).await, of(&[&olaf]));
}

each_database!(lists_are_filtered_by_time_and_sorted_by_wait);
async fn lists_are_filtered_by_time_and_sorted_by_wait(database: TestDatabase) {
    let office = Office::open(&database).await;
    let mut chats = vec![];
    for number in 0..4 {
        chats.push(office.chat(&office.general, &format!("Vera{number}"), "Hello").await);
    }
    let mut begun = vec![];
    for chat in &chats {
        begun.push(chat.conversation().await["createdAt"].as_str().unwrap().to_owned());
    }
    let [a, b, c, d] = [&chats[0], &chats[1], &chats[2], &chats[3]];
    let list = |query: String| format!("/v1/conversations?{query}");
    let range = list(format!("from={}&to={}&sort=oldest", begun[1], begun[3]));
    assert_eq!(ids(&office.admin, &range).await, of(&[b, c]));
    assert_eq!(ids(&office.admin, &list(format!("from={}", begun[2]))).await, of(&[d, c]));
    let offset = begun[0].replace('Z', "%2B00:00");
    assert_eq!(ids(&office.admin, &list(format!("to={offset}"))).await, of(&[]));

    // A chat that waits again waits for the shortest time.
    office
        .admin
        .post(&format!("/v1/conversations/{}/transfer", b.conversation_id), &json!({ "groupId": office.sales }))
        .await
        .expect(200);
    office
        .admin
        .post(&format!("/v1/conversations/{}/close", c.conversation_id), &json!({ "reason": "done" }))
        .await
        .expect(200);
    assert_eq!(ids(&office.admin, &list("sort=longest_waiting".into())).await, of(&[a, d, b]));
    assert_eq!(ids(&office.admin, &list("sort=longest_waiting&status=closed".into())).await, of(&[]));
    assert_eq!(ids(&office.agent.client, &list("sort=longest_waiting".into())).await, of(&[b]));
}

each_database!(cursors_and_parameters_that_do_not_belong_are_refused);
async fn cursors_and_parameters_that_do_not_belong_are_refused(database: TestDatabase) {
    let office = Office::open(&database).await;
    for name in ["Vera", "Olaf", "Zoe"] {
        office.chat(&office.general, name, "Hello").await;
    }
    let admin = &office.admin;
    let first = admin.get("/v1/conversations?limit=1&status=pending").await.expect(200).body;
    let cursor = first["nextCursor"].as_str().unwrap();
    admin.get(&format!("/v1/conversations?limit=1&status=pending&cursor={cursor}")).await.expect(200);
    for other in ["status=closed", "sort=oldest&status=pending", "search=hello&status=pending", "limit=1"] {
        admin.get(&format!("/v1/conversations?{other}&cursor={cursor}")).await.expect(400);
    }
    admin.get(&format!("/v1/queue?cursor={cursor}")).await.expect(400);
    for wrong in ["from=yesterday", "to=2026-01-01", "sort=longest", "status=open", "search=hello&searchs=x"] {
        admin.get(&format!("/v1/conversations?{wrong}")).await.expect(400);
    }
    let long = "x".repeat(201);
    let refused = admin.get(&format!("/v1/conversations?search={long}")).await.expect(400).body;
    assert_eq!(refused["errors"][0]["field"], "search");
    admin.get(&format!("/v1/conversations?search={}", &long[1..])).await.expect(200);
    admin.get("/v1/conversations/counts?status=closed").await.expect(400);
}

each_database!(counts_follow_every_change_and_what_the_caller_may_see);
async fn counts_follow_every_change_and_what_the_caller_may_see(database: TestDatabase) {
    let office = Office::open(&database).await;
    let (admin, agent) = (&office.admin, &office.agent);
    assert_eq!(counts(admin, "").await, [0; 4]);
    let a = office.chat(&office.general, "Vera", "Hello").await;
    let b = office.chat(&office.sales, "Olaf", "Hello").await;
    assert_eq!((counts(admin, "").await, counts(&agent.client, "").await), ([2, 0, 0, 2], [1, 0, 0, 1]));
    let chat = format!("/v1/conversations/{}", a.conversation_id);
    admin.post(&format!("{chat}/assign"), &json!({ "agentId": agent.id })).await.expect(200);
    assert_eq!((counts(admin, "").await, counts(&agent.client, "").await), ([1, 1, 0, 2], [1, 1, 0, 2]));
    let in_general = format!("?groupId={}", office.general);
    assert_eq!(
        (counts(admin, &in_general).await, counts(&agent.client, &in_general).await),
        ([0, 1, 0, 1], [0, 1, 0, 1])
    );
    assert_eq!(counts(admin, &format!("?agentId={}", agent.id)).await, [0, 1, 0, 1]);
    admin.post(&format!("{chat}/close"), &json!({ "reason": "done" })).await.expect(200);
    assert_eq!((counts(admin, "").await, counts(&agent.client, "").await), ([1, 0, 1, 2], [1, 0, 1, 2]));
    a.client.post(&format!("{chat}/reopen"), &json!({})).await.expect(200);
    assert_eq!(counts(&agent.client, "").await, [2, 0, 0, 2]);
    let other = format!("/v1/conversations/{}/close", b.conversation_id);
    b.client.post(&other, &json!({ "reason": "thanks" })).await.expect(200);
    assert_eq!((counts(admin, "").await, counts(&agent.client, "").await), ([1, 0, 1, 2], [1, 0, 1, 2]));
    b.client.get("/v1/conversations/counts").await.expect(403);
    a.client.get("/v1/conversations?search=hello").await.expect(403);
}
