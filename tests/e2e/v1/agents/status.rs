//! The status of agents.

use harness::desk::assert_field;
use harness::{Server, TestDatabase, each_database};
use serde_json::json;

use crate::support::id;

each_database!(invalid_status_is_refused_without_sql);
async fn invalid_status_is_refused_without_sql(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.person("agent", "away", 1).await;
    let path = format!("/v1/agents/{}/status", anna.id);
    for status in ["busy", "", "'", "online'; UPDATE agents SET role = 'admin'; --", "ONLINE"] {
        let reply = anna.client.put(&path, &json!({ "status": status })).await;
        assert_field(&reply, "status", "must be one of online, away, offline");
        let text = reply.body.to_string().to_lowercase();
        assert!(!["sql", "update", "select", "syntax"].iter().any(|word| text.contains(word)), "{text}");
    }
    assert_eq!(anna.client.get("/v1/auth/me").await.expect(200).body["status"], "away");
}

each_database!(status_and_members_change_only_as_they_were_seen);
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
