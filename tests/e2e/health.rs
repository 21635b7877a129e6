//! What the probes tell.

use harness::{DEADLINE, Server, eventually, on_each_database};
use serde_json::json;

on_each_database! {
    async fn broken_background_tasks_are_told(database: TestDatabase) {
        let server = Server::start(&database).await;
        let client = server.client();
        assert_eq!(client.get("/livez").await.expect(200).body, json!({ "status": "ok" }));
        client.get("/readyz").await.expect(200);
        // As when each of them had panicked.
        server.app().tasks.stop();
        let broken = eventually(DEADLINE, "the tasks have ended", async || {
            let reply = client.get("/livez").await;
            if reply.body["ended"].as_array().is_some_and(|ended| ended.len() == 3) { Ok(reply) } else { Err(reply.body) }
        })
        .await;
        let ended = json!({ "status": "broken", "ended": ["router", "housekeeping", "presence"] });
        assert_eq!(broken.expect(503).body, ended);
        let ready = client.get("/readyz").await.expect(503).body;
        let failed = |name: &str| ready["checks"].as_array().unwrap().iter().any(|c| c["name"] == name && c["ok"] == false);
        assert!(failed("task:router") && failed("task:presence") && failed("task:housekeeping"), "{ready}");
        // What does not need them still works.
        server.admin().await;
        client.get("/health").await.expect(200);
    }
}
