//! Limits from every side, the wait for a free agent, other people's passwords, long lists, and what is in the log.

use std::time::{Duration, Instant};

use harness::{History, PASSWORD, Reply, Server, Visitor, on_each_database};
use serde_json::{Value, json};

use super::{active_chats, close};
use crate::desk::{NOBODY, assert_field, assert_problem, wait_for_agent};

/// The original looks for work every five seconds.
const SOON: Duration = Duration::from_secs(1);

fn chat(visitor: &Visitor, end: &str) -> String {
    format!("/v1/conversations/{}{end}", visitor.conversation_id)
}

fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

on_each_database! {
    async fn no_way_leads_over_a_limit(database: TestDatabase) {
        let server = Server::start(&database).await;
        let anna = server.agent(2).await;
        let first = [server.visitor("one").await, server.visitor("two").await];
        for visitor in &first {
            wait_for_agent(visitor, &anna.id).await;
            close(&anna.client, visitor).await;
        }
        anna.client.put(&format!("/v1/agents/{}/status", anna.id), &json!({ "status": "away" })).await.expect(200);
        let mut all = vec![];
        for number in 0..6 {
            all.push(server.visitor(&format!("more {number}")).await);
        }
        // Taken one by one, all at the same moment.
        let me = json!({ "agentId": anna.id });
        let taken = all.iter().map(|visitor| {
            let (client, path, me) = (anna.client.clone(), chat(visitor, "/assign"), me.clone());
            async move { client.post(&path, &me).await }
        });
        let taken = futures::future::join_all(taken).await;
        assert_eq!((count(&taken, 200), count(&taken, 409)), (2, 4));
        taken.iter().filter(|reply| reply.status == 409).for_each(|reply| assert_problem(reply, 409, "agent_at_capacity"));
        // Reopened: it waits.
        for visitor in &first {
            let reopened = anna.client.post(&chat(visitor, "/reopen"), &json!({})).await.expect(200).body;
            assert_eq!((&reopened["status"], &reopened["assignedAgentId"]), (&json!("pending"), &Value::Null));
            assert_problem(&anna.client.post(&chat(visitor, "/assign"), &me).await, 409, "agent_at_capacity");
        }
        // Handed over by a colleague.
        let ben = server.person("agent", "away", 1).await;
        let waiting = all.iter().zip(&taken).find(|(_, reply)| reply.status == 409).unwrap().0;
        ben.client.post(&chat(waiting, "/assign"), &json!({ "agentId": ben.id })).await.expect(200);
        assert_problem(&ben.client.post(&chat(waiting, "/transfer"), &me).await, 409, "agent_at_capacity");
        assert_eq!(waiting.conversation().await["assignedAgentId"], json!(ben.id));
        // In bulk.
        let ids: Vec<_> = all.iter().chain(&first).map(|visitor| &visitor.conversation_id).collect();
        let bulk = json!({ "conversationIds": ids, "assign": me });
        anna.client.post("/v1/conversations/bulk", &bulk).await.expect(200);
        assert_eq!(active_chats(&server, &anna).await, 2);
    }

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
            close(&anna.client, &pair[0]).await;
            let freed = Instant::now();
            wait_for_agent(&pair[1], &anna.id).await;
            waits.push(freed.elapsed());
        }
        waits.sort_unstable();
        assert!(waits[waits.len() / 2] < SOON, "{waits:?}");
    }

    async fn supervisors_choice_for_a_waiting_chat_lasts(database: TestDatabase) {
        let server = Server::start(&database).await;
        let boss = server.person("supervisor", "away", 5).await;
        let visitor = server.visitor("Hello").await;
        boss.client.post(&chat(&visitor, "/assign"), &json!({ "agentId": boss.id })).await.expect(200);
        // Everything that makes the router look again.
        let anna = server.agent(5).await;
        for status in ["away", "online"] {
            let path = format!("/v1/agents/{}/status", anna.id);
            anna.client.put(&path, &json!({ "status": status })).await.expect(200);
        }
        let next = server.visitor("Next").await;
        wait_for_agent(&next, &anna.id).await;
        assert_eq!(visitor.conversation().await["assignedAgentId"], json!(boss.id));
        let made = boss.client.get(&chat(&visitor, "/assignments")).await.expect(200).body;
        assert_eq!(made["data"].as_array().unwrap().len(), 1);
    }

    async fn nobody_sets_the_password_of_somebody_else(database: TestDatabase) {
        let server = Server::start(&database).await;
        let (anna, ben) = (server.person("agent", "away", 1).await, server.person("agent", "away", 1).await);
        let boss = server.person("supervisor", "away", 1).await;
        let path = format!("/v1/agents/{}", ben.id);
        for client in [&anna.client, &boss.client, &ben.client, &server.admin().await.client] {
            let reply = client.patch(&path, &json!({ "password": "taken over" })).await;
            assert_field(&reply, "password", "is not known");
        }
        let guess = json!({ "currentPassword": "a guess", "newPassword": "taken over now" });
        assert_problem(&anna.client.post("/v1/auth/password", &guess).await, 400, "invalid_request");
        let named = json!({ "agentId": ben.id, "currentPassword": PASSWORD, "newPassword": "taken over now" });
        assert_field(&anna.client.post("/v1/auth/password", &named).await, "agentId", "is not known");
        for email in ["agent0@example.com", "agent1@example.com"] {
            let credentials = json!({ "email": email, "password": PASSWORD });
            server.client().post("/v1/auth/login", &credentials).await.expect(200);
        }
    }

    async fn deleted_agent_comes_back_as_they_were(database: TestDatabase) {
        let server = Server::start(&database).await;
        let admin = server.admin().await.client;
        let anna = server.person("agent", "away", 3).await;
        let path = format!("/v1/agents/{}", anna.id);
        let before = admin.get(&path).await.expect(200).body;
        admin.delete(&path).await.expect(200);
        let credentials = json!({ "email": "agent0@example.com", "password": PASSWORD });
        assert_problem(&server.client().post("/v1/auth/login", &credentials).await, 401, "wrong_credentials");
        let after = admin.post(&format!("{path}/restore"), &json!({})).await.expect(200).body;
        for field in ["id", "name", "email", "role", "maxConcurrentChats", "activeChats", "createdAt"] {
            assert_eq!(after[field], before[field], "{field}");
        }
        server.client().post("/v1/auth/login", &credentials).await.expect(200);
        assert_problem(&admin.post(&format!("/v1/agents/{NOBODY}/restore"), &json!({})).await, 404, "not_found");
    }

    async fn lists_and_histories_come_in_pages_whatever_is_asked_for(database: TestDatabase) {
        let server = Server::start(&database).await;
        let admin = server.admin().await.client;
        let talker = server.visitor("Hello").await;
        let thread = format!("/v1/threads/{}/events", talker.thread_id);
        let eager = talker.client.with_header("prefer", "respond-async");
        for number in 0..30 {
            eager.post(&thread, &json!({ "content": format!("line {number}") })).await.expect(201);
            server.visitor("Hello").await;
        }
        for path in ["/v1/conversations", "/v1/queue", &thread] {
            let page = admin.get(path).await.expect(200).body;
            assert_eq!(page["data"].as_array().unwrap().len(), 25, "{path}");
            assert!(page["nextCursor"].is_string(), "{path}");
            for limit in ["0", "101", "1000000", "-1", "all"] {
                let reply = admin.get(&format!("{path}?limit={limit}")).await;
                assert_field(&reply, "limit", "must be a number from 1 to 100");
            }
        }
    }

    /// Who has read something is not even asked for; whatever happens, what happened before stays as it was written.
    async fn what_is_in_the_log_never_changes(database: TestDatabase) {
        const SQL: &str = "SELECT position, event_id, payload, metadata, actor, recorded_us FROM events ORDER BY position";
        let server = Server::start(&database).await;
        let anna = server.agent(3).await;
        let visitor = server.visitor("Hello").await;
        wait_for_agent(&visitor, &anna.id).await;
        let thread = format!("/v1/threads/{}/events", visitor.thread_id);
        anna.client.post(&thread, &json!({ "content": "Hello, I am Anna." })).await.expect(201);
        let history = History::open(&database).await;
        let rows = async || {
            let rows = history.database.fetch_all(SQL, vec![]).await.unwrap();
            let row = |row: &infrastructure::database::Row| {
                let texts = ["event_id", "payload", "metadata", "actor"].map(|column| row.text(column).unwrap());
                (row.int("position").unwrap(), texts, row.int("recorded_us").unwrap())
            };
            rows.iter().map(row).collect::<Vec<_>>()
        };
        let before = rows().await;
        let read = anna.client.get(&thread).await.expect(200).body;
        let message = read["data"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
        for (path, body) in [
            (format!("{thread}/{message}/read"), json!({})),
            (format!("/v1/events/{message}"), json!({ "readAt": "2026-01-01T00:00:00Z" })),
        ] {
            for client in [&server.client(), &visitor.client, &anna.client] {
                assert_eq!(client.post(&path, &body).await.status, 404);
                assert_eq!(client.patch(&path, &body).await.status, 404);
            }
        }
        close(&anna.client, &visitor).await;
        visitor.client.post(&chat(&visitor, "/reopen"), &json!({})).await.expect(200);
        let admin = server.admin().await.client;
        let anna_path = format!("/v1/agents/{}", anna.id);
        admin.patch(&anna_path, &json!({ "name": "Anna B." })).await.expect(200);
        admin.delete(&anna_path).await.expect(200);
        let after = rows().await;
        assert!(after.len() > before.len() + 5);
        assert_eq!(after[..before.len()], before);
        let database = &history.database;
        infrastructure::event_log::verify_chain(database, |_| {}).await.expect("the chain verifies");
    }
}
