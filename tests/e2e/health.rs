//! What the probes tell.

use std::time::Duration;

use harness::{
    ADMIN_EMAIL, DEADLINE, DatabaseKind, METRICS_TOKEN, PASSWORD, Process, Server, TestDatabase, each_database,
    eventually,
};
use infrastructure::database::{Database, DatabaseOptions};
use serde_json::{Value, json};

const ENDED: [&str; 11] = [
    "router",
    "housekeeping",
    "presence",
    "stream",
    "streamLeases",
    "streamNotices",
    "streamQueues",
    "streamAuthority",
    "rebuild",
    "metrics",
    "abandonedChats",
];

each_database!(broken_background_tasks_are_told);
async fn broken_background_tasks_are_told(database: TestDatabase) {
    let server = Server::start(&database).await;
    let client = server.client();
    assert_eq!(client.get("/livez").await.expect(200).body, json!({ "status": "ok" }));
    client.get("/readyz").await.expect(200);
    // As when each of them had panicked.
    server.app().tasks.stop();
    let broken = eventually(DEADLINE, "the tasks have ended", async || {
        let reply = client.get("/livez").await;
        if reply.body["ended"].as_array().is_some_and(|ended| ended.len() == ENDED.len()) {
            Ok(reply)
        } else {
            Err(reply.body)
        }
    })
    .await;
    let ended = json!({ "status": "broken", "ended": ENDED });
    assert_eq!(broken.expect(503).body, ended);
    let ready = client.get("/readyz").await.expect(503).body;
    let failed = |name: &str| ready["checks"].as_array().unwrap().iter().any(|c| c["name"] == name && c["ok"] == false);
    assert!(failed("task:router") && failed("task:presence") && failed("task:housekeeping"), "{ready}");
    // What does not need them still works.
    server.admin().await;
    client.get("/health").await.expect(200);
}

each_database!(database_that_takes_no_writes_is_told);
async fn database_that_takes_no_writes_is_told(database: TestDatabase) {
    let server = Server::start(&database).await;
    let other = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    let mut session = other.log_session().await.unwrap();
    session.query("INSERT INTO leases (name, owner, expires_us) VALUES ('write_probe', '', 0)").await.unwrap();
    let refuse = match database.kind() {
        DatabaseKind::Sqlite => "BEGIN SELECT RAISE(ABORT, 'disk full'); END",
        DatabaseKind::MySql => "FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'read-only'",
    };
    session.query(&format!("CREATE TRIGGER no_writes BEFORE UPDATE ON leases {refuse}")).await.unwrap();
    let ready = server.client().get("/readyz").await.expect(503).body;
    let told = |ready: &Value| ready["checks"].as_array().unwrap().iter().find(|c| c["name"] == "database").cloned();
    let check = told(&ready).unwrap();
    assert_eq!((&check["ok"], &check["required"]), (&json!(false), &json!(true)));
    // The kind of cause, but not what the server says: everybody may read it.
    let cause = match database.kind() {
        DatabaseKind::Sqlite => "SQLite code 1811",
        DatabaseKind::MySql => "error 1644",
    };
    let reason = check["reason"].as_str().unwrap();
    assert!(reason.starts_with("does not take writes: ") && reason.contains(cause), "{reason}");
    assert!(!reason.contains("read-only") && !reason.contains("disk full"), "{reason}");
    session.query("DROP TRIGGER no_writes").await.unwrap();
    session.close().await;
    let well = Some(json!({ "name": "database", "ok": true, "required": true }));
    eventually(DEADLINE, "it works again", async || {
        let ready = server.client().get("/readyz").await.body;
        if told(&ready) == well { Ok(()) } else { Err(ready) }
    })
    .await;
}

each_database!(read_model_that_has_stopped_is_reported_with_the_event_everywhere);
async fn read_model_that_has_stopped_is_reported_with_the_event_everywhere(database: TestDatabase) {
    let process = Process::on(&database).setting("ADMIN_EMAIL", ADMIN_EMAIL).setting("ADMIN_PASSWORD", PASSWORD);
    let process = process.setting("METRICS_TOKEN", METRICS_TOKEN).start().await;
    let admin = process.client().log_in(ADMIN_EMAIL).await.client;
    let other = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    let refuse = match database.kind() {
        DatabaseKind::Sqlite => "BEGIN SELECT RAISE(ABORT, 'no row fits'); END",
        DatabaseKind::MySql => "FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no row fits'",
    };
    let mut session = other.log_session().await.unwrap();
    session.query(&format!("CREATE TRIGGER no_tags BEFORE INSERT ON tags {refuse}")).await.unwrap();
    session.close().await;
    // The answer waits for the read model, which never gets there.
    tokio::spawn(async move { admin.post("/v1/tags", &json!({ "name": "VIP" })).await });
    let told = eventually(DEADLINE, "it has stopped", async || {
        let ready = process.client().get("/readyz").await;
        let checks = ready.body["checks"].as_array().unwrap().clone();
        let of_tags = checks.into_iter().find(|check| check["name"] == "projection:tags" && check["ok"] == false);
        of_tags.ok_or(ready.body)
    })
    .await;
    let created = "SELECT position FROM events WHERE event_type = 'TagCreated'";
    let position = other.fetch_all(created, vec![]).await.unwrap()[0].int("position").unwrap();
    assert_eq!(told["required"], true);
    assert!(told["reason"].as_str().unwrap().contains(&format!("position {position}")), "{told}");
    let metrics = process.client().with_token(METRICS_TOKEN).get("/metrics").await.expect(200).body;
    let metrics = metrics.as_str().unwrap();
    assert!(metrics.contains(r#"livechatlog_projection_running{projection="tags"} 0"#), "{metrics}");
    assert!(metrics.contains(r#"livechatlog_projection_running{projection="agents"} 1"#), "{metrics}");
    let log = process.log();
    let line = log.lines().find(|line| line.contains("subscriber has stopped")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("tags") && line.contains(&format!("position {position}")), "{line}");
    // The others go on.
    process.client().post("/v1/widget/session", &json!({ "initialMessage": "Hello" })).await.expect(201);
}

each_database!(long_waits_are_told);
async fn long_waits_are_told(database: TestDatabase) {
    let server = Server::start(&database).await;
    server.visitor("Vera").await;
    let queue = async || {
        let ready = server.client().get("/readyz").await.expect(200).body;
        ready["checks"].as_array().unwrap().iter().find(|check| check["name"] == "queue").cloned().unwrap()
    };
    assert_eq!(queue().await, json!({ "name": "queue", "ok": true, "required": false }));
    server.clock.advance(Duration::from_secs(300));
    assert_eq!(queue().await["reason"], "a chat has waited for long; the metrics say how many and how long");
}

#[tokio::test]
async fn node_that_is_ending_says_so_and_still_serves() {
    let mut process = Process::builder().setting("DRAIN_DELAY", "4").start().await;
    process.signal("TERM");
    let client = process.client().clone();
    let told = eventually(DEADLINE, "it is reported", async || {
        let ready = client.get("/readyz").await;
        if ready.status == 503 { Ok(ready.body) } else { Err(ready.body) }
    })
    .await;
    assert_eq!(told["checks"][0]["name"], "shutdown", "{told}");
    client.post("/v1/widget/session", &json!({ "initialMessage": "Still there?" })).await.expect(201);
    assert!(process.wait_for_end(DEADLINE).await.success());
}
