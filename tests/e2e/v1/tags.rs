//! Tags.

use harness::{Reply, Server, TestDatabase, each_database};
use serde_json::json;

use crate::support::id;

each_database!(tag_names_are_unique_whatever_their_case);
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
