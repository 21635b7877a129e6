//! Agents, groups, tags and the desk: a team runs its support.

use std::collections::BTreeMap;

use harness::{Client, DEADLINE, PASSWORD, Reply, Server, Visitor, eventually, on_each_database};
use serde_json::{Value, json};

on_each_database! {
    async fn team_is_set_up_and_serves_a_chat_as_one_story(database: TestDatabase) {
        let server = Server::start(&database).await;
        let admin = server.admin().await.client;
        let anna = server.agent(3).await;
        let ben = server.agent(3).await;
        let group = admin.post("/v1/groups", &json!({ "name": "Sales", "routingStrategy": "round_robin" })).await;
        let group = group.expect(201).body;
        let members = json!({ "agentIds": [anna.id, ben.id] });
        let path = format!("/v1/groups/{}", id(&group));
        let group = admin.post(&format!("{path}/agents"), &members).await.expect(200).body;
        assert_eq!(group["agentIds"], json!([anna.id, ben.id]));
        let tag = admin.post("/v1/tags", &json!({ "name": "VIP", "color": "#ff8800" })).await.expect(201).body;

        let session = json!({ "initialMessage": "Hello", "name": "Vera", "groupId": group["id"] });
        let reply = server.client().post("/v1/widget/session", &session).await.expect(201);
        let visitor = server.client().with_token(reply.text("/sessionToken"));
        let chat = format!("/v1/conversations/{}", reply.text("/conversationId"));
        let agent_id = active(&visitor, &chat).await["assignedAgentId"].clone();
        let (first, second) = if agent_id == json!(anna.id) { (&anna, &ben) } else { (&ben, &anna) };
        let thread = format!("/v1/threads/{}/events", reply.text("/threadId"));
        first.client.post(&thread, &json!({ "content": "Hello Vera" })).await.expect(201);
        visitor.post(&thread, &json!({ "content": "I have a question" })).await.expect(201);
        first.client.post(&format!("{chat}/tags"), &json!({ "tagId": tag["id"] })).await.expect(200);

        let handed = json!({ "agentId": second.id, "reason": "knows more" });
        let chat_view = first.client.post(&format!("{chat}/transfer"), &handed).await.expect(200).body;
        assert_eq!(chat_view["assignedAgentId"], json!(second.id));
        first.client.post(&thread, &json!({ "content": "Still there?" })).await.expect(403);
        let closed = second.client.post(&format!("{chat}/close"), &json!({ "reason": "answered" })).await.expect(200);
        assert_eq!(closed.body["tagIds"], json!([tag["id"]]));

        for thing in [format!("/v1/tags/{}", id(&tag)), path, format!("/v1/agents/{}", first.id)] {
            admin.delete(&thing).await.expect(200);
            admin.get(&thing).await.expect(404);
            admin.post(&format!("{thing}/restore"), &json!({})).await.expect(200);
            admin.get(&thing).await.expect(200);
        }
        let kinds = system_events(&visitor, &thread).await;
        let expected = ["thread_started", "agent_joined", "agent_left", "agent_joined", "thread_closed"];
        assert_eq!(kinds, expected);
    }

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

    async fn status_and_members_change_only_as_they_were_seen(database: TestDatabase) {
        let server = Server::start(&database).await;
        let admin = server.admin().await.client;
        let anna = server.person("agent", "away", 1).await;
        let group = admin.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201).body;
        let (agent, group) = (format!("/v1/agents/{}", anna.id), format!("/v1/groups/{}", id(&group)));
        let (online, members) = (json!({ "status": "online" }), json!({ "agentIds": [anna.id] }));
        let membership = format!("{group}/agents/{}", anna.id);
        for (thing, way) in [(&agent, "status"), (&group, "add"), (&group, "remove")] {
            let change = async |version: i64| {
                let client = admin.with_header("If-Match", &format!("\"{version}\""));
                match way {
                    "status" => client.put(&format!("{agent}/status"), &online).await,
                    "add" => client.post(&format!("{group}/agents"), &members).await,
                    _ => client.delete(&membership).await,
                }
            };
            let before = admin.get(thing).await.expect(200).body;
            let version = before["version"].as_i64().unwrap();
            for outdated in [version - 1, version + 1] {
                let refused = change(outdated).await.expect(412);
                assert_eq!(refused.body["currentVersion"], version, "{way}");
            }
            assert_eq!(admin.get(thing).await.expect(200).body, before, "{way}");
            let after = change(version).await.expect(200).body;
            assert_eq!(after["version"], version + 1, "{way}");
        }
    }

    async fn form_of_a_busy_agent_is_saved_although_chats_come_and_go(database: TestDatabase) {
        let server = Server::start(&database).await;
        let admin = server.admin().await.client;
        let anna = server.person("agent", "online", 2).await;
        let path = format!("/v1/agents/{}", anna.id);
        let seen = admin.get(&path).await.expect(200).body;
        for _ in 0..2 {
            let visitor = server.visitor("Hello").await;
            active(&visitor.client, &chat_path(&visitor)).await;
        }
        let now = admin.get(&path).await.expect(200).body;
        assert_eq!((&now["activeChats"], &now["version"]), (&json!(2), &seen["version"]));
        let form = admin.with_header("If-Match", &format!("\"{}\"", seen["version"]));
        let saved = form.patch(&path, &json!({ "name": "Anna B." })).await.expect(200).body;
        let version = saved["version"].as_i64().unwrap();
        assert!(version > seen["version"].as_i64().unwrap() + 2, "it is the sequence of the event: {saved}");
        let refused = form.patch(&path, &json!({ "name": "Anna C." })).await.expect(412).body;
        assert_eq!(refused["currentVersion"], version);
    }

    async fn agents_are_changed_by_admins_and_partly_by_themselves(database: TestDatabase) {
        let server = Server::start(&database).await;
        let admin = server.admin().await;
        let anna = server.agent(2).await;
        let path = format!("/v1/agents/{}", anna.id);
        let own = json!({ "name": "Anna A.", "avatar": "https://example.com/a.png", "acceptingChats": false });
        let changed = anna.client.patch(&path, &own).await.expect(200).body;
        assert_eq!((&changed["name"], &changed["acceptingChats"]), (&json!("Anna A."), &json!(false)));
        let changed = anna.client.patch(&path, &json!({ "avatar": null })).await.expect(200).body;
        assert_eq!(changed["avatar"], Value::Null);
        for more in [json!({ "role": "admin" }), json!({ "maxConcurrentChats": 20 }), json!({ "email": "x@y.z" })] {
            anna.client.patch(&path, &more).await.expect(403);
        }
        let other = format!("/v1/agents/{}", admin.id);
        anna.client.patch(&other, &json!({ "name": "Mallory" })).await.expect(403);
        let promoted = json!({ "role": "supervisor", "maxConcurrentChats": 9, "email": "anna@example.org" });
        let changed = admin.client.patch(&path, &promoted).await.expect(200).body;
        assert_eq!((&changed["role"], &changed["maxConcurrentChats"]), (&json!("supervisor"), &json!(9)));
        let login = |email: &str| json!({ "email": email, "password": PASSWORD });
        server.client().post("/v1/auth/login", &login("anna@example.org")).await.expect(200);
        server.client().post("/v1/auth/login", &login("agent0@example.com")).await.expect(401);
    }

    async fn last_admin_can_be_neither_demoted_nor_deleted(database: TestDatabase) {
        let server = Server::start(&database).await;
        let admin = server.admin().await;
        let path = format!("/v1/agents/{}", admin.id);
        let refused = admin.client.patch(&path, &json!({ "role": "agent" })).await.expect(409);
        assert_eq!(refused.body["code"], "last_admin");
        admin.client.delete(&path).await.expect(409);
        let second = server.person("admin", "offline", 1).await;
        // Both go at once: one has to stay.
        let other = format!("/v1/agents/{}", second.id);
        let (one, two) = tokio::join!(second.client.delete(&path), admin.client.delete(&other));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert!(statuses == [200, 409] || statuses == [200, 401], "{statuses:?}");
    }

    async fn deleted_agents_address_is_free_and_needed_for_the_return(database: TestDatabase) {
        let server = Server::start(&database).await;
        let admin = server.admin().await.client;
        let anna = server.agent(2).await;
        let visitor = server.visitor("Hello").await;
        active(&visitor.client, &chat_path(&visitor)).await;
        let path = format!("/v1/agents/{}", anna.id);
        admin.delete(&path).await.expect(200);
        anna.client.get("/v1/auth/me").await.expect(401);
        let chat = visitor.conversation().await;
        assert_eq!((&chat["status"], &chat["queuePosition"]), (&json!("pending"), &json!(1)));
        let thread = format!("/v1/threads/{}/events", visitor.thread_id);
        let last = visitor.client.get(&thread).await.body["data"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["metadata"]["reason"], "agent_deleted");

        let again = json!({ "name": "Anna II", "email": "AGENT0@example.com", "password": PASSWORD });
        admin.post("/v1/agents", &again).await.expect(201);
        let refused = admin.post(&format!("{path}/restore"), &json!({})).await.expect(409);
        assert_eq!(refused.body["code"], "email_taken");
        let all = admin.get("/v1/agents?includeDeleted=true").await.expect(200).body;
        assert_eq!(all["data"].as_array().unwrap().len(), 3);
        assert_eq!(admin.get("/v1/agents").await.body["data"].as_array().unwrap().len(), 2);
    }

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
        active(&elsewhere.client, &chat_path(&elsewhere)).await;
        admin.delete(&format!("{path}/agents/{}", anna.id)).await.expect(200);
        assert_eq!(visitor.get(&chat).await.body["status"], "pending");
        assert_eq!(elsewhere.conversation().await["assignedAgentId"], json!(anna.id));
        let gone = admin.delete(&format!("{path}/agents/{}", anna.id)).await.expect(404).body;
        assert_eq!(gone["detail"], "The member of the group does not exist.");
    }

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
            }).await;
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

    async fn tag_names_are_unique_whatever_their_case(database: TestDatabase) {
        let server = Server::start(&database).await;
        let admin = server.admin().await.client;
        let racers = (0..8).map(|n| {
            let admin = admin.clone();
            let name = if n % 2 == 0 { "urgent" } else { "URGENT" };
            async move { admin.post("/v1/tags", &json!({ "name": name })).await }
        });
        let replies = futures::future::join_all(racers).await;
        let made: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 201).collect();
        assert_eq!(made.len(), 1);
        assert!(replies.iter().all(|reply| reply.status == 201 || reply.body["code"] == "tag_name_taken"));
        let path = format!("/v1/tags/{}", id(&made[0].body));
        admin.patch(&path, &json!({ "name": "calm", "color": "#00ff00" })).await.expect(200);
        let second = admin.post("/v1/tags", &json!({ "name": "Urgent" })).await.expect(201).body;
        admin.patch(&path, &json!({ "name": "uRGENT" })).await.expect(409);
        admin.delete(&format!("/v1/tags/{}", id(&second))).await.expect(200);
        admin.patch(&path, &json!({ "name": "uRGENT" })).await.expect(200);
        admin.post(&format!("/v1/tags/{}/restore", id(&second)), &json!({})).await.expect(409);
        admin.patch(&path, &json!({ "color": "green" })).await.expect(400);
    }

    async fn transfer_to_a_group_waits_at_its_end(database: TestDatabase) {
        let server = Server::start(&database).await;
        let admin = server.admin().await.client;
        let anna = server.agent(5).await;
        let sales = admin.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201).body;
        let first = server.visitor("first").await;
        active(&first.client, &chat_path(&first)).await;
        let session = json!({ "initialMessage": "second", "groupId": sales["id"] });
        server.client().post("/v1/widget/session", &session).await.expect(201);
        let path = format!("{}/transfer", chat_path(&first));
        let to_sales = json!({ "groupId": sales["id"] });
        first.client.post(&path, &to_sales).await.expect(403);
        let with_reason = json!({ "groupId": sales["id"], "reason": "wants a discount" });
        let chat = anna.client.post(&path, &with_reason).await.expect(200).body;
        assert_eq!((&chat["status"], &chat["queuePosition"]), (&json!("pending"), &json!(2)));
        let hands = admin.get(&format!("{}/assignments", chat_path(&first))).await.expect(200).body;
        let returned = json!({
            "kind": "returned", "cause": "transferred", "groupId": sales["id"], "by": anna.id, "reason": "wants a discount",
        });
        assert_eq!((&hands["data"][1]["assignment"], &hands["data"][1]["agentId"]), (&returned, &json!(null)));
        // What the visitor may read does not tell.
        for read in [chat_path(&first), format!("/v1/threads/{}/events", first.thread_id)] {
            assert!(!first.client.get(&read).await.expect(200).body.to_string().contains("discount"), "{read}");
        }
        assert_eq!(admin.get(&format!("/v1/agents/{}", anna.id)).await.body["activeChats"], 0);
        anna.client.post(&path, &json!({})).await.expect(400);
    }

    async fn sessions_are_renewed_once_per_token_and_end_with_log_out_and_password(database: TestDatabase) {
        let server = Server::start(&database).await;
        server.agent(1).await;
        let login = json!({ "email": "agent0@example.com", "password": PASSWORD });
        let renew = async |token: &Value| {
            server.client().post("/v1/auth/refresh", &json!({ "refresh_token": token })).await
        };
        let me = async |token: &Value| server.client().with_token(token.as_str().unwrap()).get("/v1/auth/me").await.status;
        let first = server.client().post("/v1/auth/login", &login).await.expect(200).body;
        let second = renew(&first["refresh_token"]).await.expect(200).body;
        assert_eq!(me(&second["access_token"]).await, 200);
        // Used twice: somebody has stolen it, and the whole session ends.
        assert_eq!(renew(&first["refresh_token"]).await.expect(401).body["code"], "session_ended");
        renew(&second["refresh_token"]).await.expect(401);
        assert_eq!(me(&second["access_token"]).await, 401);

        let one = server.client().post("/v1/auth/login", &login).await.expect(200).body;
        let two = server.client().post("/v1/auth/login", &login).await.expect(200).body;
        let client = server.client().with_token(one["access_token"].as_str().unwrap());
        let wrong = json!({ "currentPassword": "wrong", "newPassword": "another password" });
        client.post("/v1/auth/password", &wrong).await.expect(400);
        let right = json!({ "currentPassword": PASSWORD, "newPassword": "another password" });
        client.post("/v1/auth/password", &right).await.expect(204);
        assert_eq!(me(&one["access_token"]).await, 200);
        assert_eq!(me(&two["access_token"]).await, 401);
        server.client().post("/v1/auth/login", &login).await.expect(401);
        client.post("/v1/auth/logout", &json!({})).await.expect(204);
        assert_eq!(me(&one["access_token"]).await, 401);
        renew(&one["refresh_token"]).await.expect(401);
    }

    async fn every_route_admits_just_whom_the_table_names(database: TestDatabase) {
        use api::rest::{Access, endpoints};
        let server = Server::start(&database).await;
        let visitor = server.visitor("mine").await;
        let foreign = server.visitor("foreign").await;
        let callers: Vec<(&str, Client, u8)> = vec![
            ("nobody", server.client(), 0),
            ("visitor", foreign.client.clone(), 1),
            ("agent", server.person("agent", "offline", 1).await.client, 2),
            ("supervisor", server.person("supervisor", "offline", 1).await.client, 3),
            ("admin", server.admin().await.client, 4),
        ];
        let mut walked = BTreeMap::new();
        for endpoint in endpoints() {
            if endpoint.path == "/v1/auth/logout" {
                continue;
            }
            let least = match endpoint.access {
                Access::Public => 0,
                Access::Participant => 1,
                Access::Agent => 2,
                Access::Supervisor => 3,
                Access::Admin | Access::Monitor => 4,
            };
            // Ids that do not exist: who is admitted gets 400 or 404, never 401 or 403 by the table.
            let path = endpoint.path.replace("{id}", &visitor.id).replace("{agentId}", &visitor.id).replace("{tagId}", &visitor.id);
            for (name, client, level) in &callers {
                let body = json!({ "unknown": true });
                let body = (endpoint.method != "GET").then_some(&body);
                let status = client.request(endpoint.method.clone(), &path, body).await.status;
                let context = format!("{} {} by {name}: {status}", endpoint.method, endpoint.path);
                match (*level >= least, level) {
                    (true, _) => assert!(status != 401 && status != 403, "{context}"),
                    (false, 0) => assert_eq!(status, 401, "{context}"),
                    (false, _) => assert_eq!(status, 403, "{context}"),
                }
                *walked.entry(endpoint.path).or_insert(0) += 1;
            }
        }
        assert!(walked.len() >= 28, "{walked:?}");
        for path in [chat_path(&visitor), format!("/v1/threads/{}/events", visitor.thread_id)] {
            foreign.client.get(&path).await.expect(404);
        }
    }
}

fn id(thing: &Value) -> &str {
    thing["id"].as_str().expect("an id")
}

fn chat_path(visitor: &Visitor) -> String {
    format!("/v1/conversations/{}", visitor.conversation_id)
}

async fn active(client: &Client, path: &str) -> Value {
    eventually(DEADLINE, "the chat is assigned", async || {
        let chat = client.get(path).await.body;
        if chat["status"] == "active" { Ok(chat) } else { Err(chat) }
    })
    .await
}

async fn system_events(visitor: &Client, thread: &str) -> Vec<String> {
    let events = visitor.get(thread).await.expect(200).body["data"].clone();
    let kinds = events.as_array().unwrap().iter().filter_map(|event| event["systemType"].as_str());
    kinds.map(str::to_owned).collect()
}
