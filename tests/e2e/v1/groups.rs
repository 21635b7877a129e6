//! Groups and their members.

use harness::{DEADLINE, Server, TestDatabase, each_database, eventually};
use serde_json::json;

use crate::support::{active, id};

each_database!(two_who_change_the_same_thing_get_one_success_and_one_clear_refusal);
async fn two_who_change_the_same_thing_get_one_success_and_one_clear_refusal(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let group = admin.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201).body;
    let path = format!("/v1/groups/{}", id(&group));
    let known = admin.with_header("If-Match", &format!("\"{}\"", group["version"]));
    let (one, two) = (json!({ "name": "Sales EU" }), json!({ "name": "Sales US" }));
    let (one, two) = tokio::join!(known.patch(&path, &one), known.patch(&path, &two));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    let refused = if one.status == 412 { one } else { two };
    assert_eq!(refused.body["code"], "version_moved");
    assert_eq!(refused.body["currentVersion"], admin.get(&path).await.body["version"]);
    let version = admin.get(&path).await.expect(200).body["version"].clone();
    for malformed in [format!("{version}"), format!("\"+{version}\""), format!("\"0{version}\""), "\"-0\"".to_owned()] {
        admin.with_header("If-Match", &malformed).patch(&path, &json!({ "name": "x" })).await.expect(400);
    }
    let twice = admin.with_header("If-Match", &format!("\"{version}\"")).with_header("If-Match", "\"1\"");
    twice.patch(&path, &json!({ "name": "x" })).await.expect(400);
}

each_database!(members_come_all_or_none_and_who_leaves_gives_back_the_groups_chats);
async fn members_come_all_or_none_and_who_leaves_gives_back_the_groups_chats(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let anna = server.agent(5).await;
    let group = admin.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201).body;
    let path = format!("/v1/groups/{}", id(&group));
    let unknown = json!({ "agentIds": [anna.id, "01890000-0000-7000-8000-000000000000"] });
    let refused = admin.post(&format!("{path}/agents"), &unknown).await.expect(400);
    assert_eq!(refused.body["errors"][0]["field"], "agentIds");
    assert_eq!(admin.get(&path).await.body["agentIds"], json!([]));
    admin.post(&format!("{path}/agents"), &json!({ "agentIds": [anna.id] })).await.expect(200);

    let elsewhere = server.visitor("to the default group").await;
    let session = json!({ "initialMessage": "to sales", "groupId": group["id"] });
    let reply = server.client().post("/v1/widget/session", &session).await.expect(201);
    let visitor = server.client().with_token(reply.text("/sessionToken"));
    let chat = format!("/v1/conversations/{}", reply.text("/conversationId"));
    active(&visitor, &chat).await;
    active(&elsewhere.client, &elsewhere.chat("")).await;
    admin.delete(&format!("{path}/agents/{}", anna.id)).await.expect(200);
    assert_eq!(visitor.get(&chat).await.body["status"], "pending");
    assert_eq!(elsewhere.conversation().await["assignedAgentId"], json!(anna.id));
    let gone = admin.delete(&format!("{path}/agents/{}", anna.id)).await.expect(404).body;
    assert_eq!(gone["detail"], "The member of the group does not exist.");
}

each_database!(there_is_always_one_default_group_and_a_deleted_groups_queue_moves_to_it);
async fn there_is_always_one_default_group_and_a_deleted_groups_queue_moves_to_it(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let general = admin.get("/v1/groups").await.body["data"][0].clone();
    assert_eq!(general["isDefault"], true);
    let general_path = format!("/v1/groups/{}", id(&general));
    assert_eq!(admin.delete(&general_path).await.expect(409).body["code"], "default_group");
    admin.patch(&general_path, &json!({ "isDefault": false })).await.expect(409);

    let sales = admin.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201).body;
    let mut visitors = vec![];
    for n in 0..3 {
        let session = json!({ "initialMessage": format!("chat {n}"), "groupId": sales["id"] });
        let reply = server.client().post("/v1/widget/session", &session).await.expect(201);
        let path = format!("/v1/conversations/{}", reply.text("/conversationId"));
        visitors.push((server.client().with_token(reply.text("/sessionToken")), path));
    }
    admin.delete(&format!("/v1/groups/{}", id(&sales))).await.expect(200);
    for (place, (visitor, path)) in visitors.iter().enumerate() {
        eventually(DEADLINE, "the chat moves", async || {
            let chat = visitor.get(path).await.body;
            if chat["groupId"] == general["id"] { Ok(()) } else { Err(chat) }
        })
        .await;
        assert_eq!(visitor.get(path).await.body["queuePosition"], json!(place + 1));
    }
    let stats = admin.get("/v1/queue/stats").await.expect(200).body["data"].clone();
    assert_eq!((&stats[0]["groupId"], &stats[0]["waiting"]), (&general["id"], &json!(3)));
    assert_eq!(admin.get("/v1/queue").await.expect(200).body["data"].as_array().unwrap().len(), 3);
    server.agent(5).await;
    for (visitor, path) in &visitors {
        active(visitor, path).await;
    }

    let other = admin.post("/v1/groups", &json!({ "name": "Other", "isDefault": true })).await.expect(201).body;
    let groups = admin.get("/v1/groups").await.body["data"].clone();
    let defaults: Vec<_> = groups.as_array().unwrap().iter().filter(|group| group["isDefault"] == true).collect();
    assert_eq!(defaults.len(), 1);
    assert_eq!(defaults[0]["id"], other["id"]);
}
