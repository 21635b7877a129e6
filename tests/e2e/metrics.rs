//! What Prometheus gets to read, and the board that shows it.

use std::collections::BTreeMap;

use harness::{
    ADMIN_EMAIL, Client, DEADLINE, METRICS_TOKEN, PASSWORD, Process, Server, Stream, TestDatabase, each_database,
    eventually,
};
use infrastructure::database::{Database, DatabaseOptions};
use reqwest::Method;
use serde_json::{Value, json};

/// The samples of a text in Prometheus' format, by name and labels.
///
/// # Panics
/// When the text is not in that format, or a sample comes twice.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut typed = BTreeMap::new();
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.split(' ');
            if words.next() == Some("TYPE") {
                let name = words.next().expect("a name");
                assert!(typed.insert(name.to_owned(), words.next().expect("a type")).is_none(), "{line}");
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let name = series.split('{').next().unwrap_or_default();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        assert!(typed.contains_key(family) || typed.contains_key(name), "no type: {line}");
        let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(samples.insert(series.to_owned(), value).is_none(), "twice: {line}");
    }
    samples
}

async fn read(client: &Client, token: &str) -> BTreeMap<String, f64> {
    let answer = reqwest::Client::new().get(format!("{}/metrics", client.base())).bearer_auth(token).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    samples(&answer.text().await.expect("a text"))
}

fn sum(samples: &BTreeMap<String, f64>, beginning: &str) -> f64 {
    samples.iter().filter(|(series, _)| series.starts_with(beginning)).map(|(_, value)| value).sum()
}

/// Every name of a metric in the board's queries.
fn names_on_board() -> Vec<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/deploy/grafana.json");
    let board: Value = serde_json::from_str(&std::fs::read_to_string(file).expect("the board")).expect("JSON");
    let mut names = vec![];
    for panel in board["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().expect("a query");
            let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let ours = words.filter(|word| word.starts_with("livechatlog_") || word.starts_with("process_"));
            names.extend(ours.map(str::to_owned));
        }
    }
    names
}

each_database!(figures_are_those_of_what_happened);
async fn figures_are_those_of_what_happened(database: TestDatabase) {
    let settings = Process::on(&database).setting("ADMIN_EMAIL", ADMIN_EMAIL).setting("ADMIN_PASSWORD", PASSWORD);
    let process = settings.setting("METRICS_TOKEN", METRICS_TOKEN).start().await;
    let client = process.client();
    let log_in = json!({ "email": ADMIN_EMAIL, "password": PASSWORD });
    let admin = client.post("/v1/auth/login", &log_in).await.expect(200);
    let boss = client.with_token(admin.text("/access_token"));
    let chat = json!({ "initialMessage": "Hello" });
    client.post("/v1/widget/session", &chat).await.expect(201);
    client.post("/v1/widget/session", &json!({})).await.expect(400);
    let waiting = eventually(DEADLINE, "the router knows of the chat", async || {
        let seen = read(client, METRICS_TOKEN).await;
        if sum(&seen, "livechatlog_waiting_chats{") == 1.0 { Ok(seen) } else { Err(format!("{seen:?}")) }
    })
    .await;
    assert_eq!(sum(&waiting, "livechatlog_assignment_seconds_count"), 0.0);

    let status = format!("/v1/agents/{}/status", admin.text("/agent/id"));
    boss.put(&status, &json!({ "status": "online" })).await.expect(200);
    let seen = eventually(DEADLINE, "the chat is assigned and projected", async || {
        let seen = read(client, METRICS_TOKEN).await;
        let done =
            sum(&seen, "livechatlog_waiting_chats{") == 0.0 && sum(&seen, "livechatlog_projection_lag_events{") == 0.0;
        if done { Ok(seen) } else { Err(format!("{seen:?}")) }
    })
    .await;
    assert_eq!(seen[r#"livechatlog_assignment_seconds_count{by="router"}"#], 1.0);
    let made = r#"livechatlog_http_requests_total{method="POST",route="/v1/widget/session",status="201"}"#;
    let refused = r#"livechatlog_http_requests_total{method="POST",route="/v1/widget/session",status="400"}"#;
    assert_eq!((seen[made], seen[refused]), (1.0, 1.0));
    assert_eq!(seen[r#"livechatlog_http_request_seconds_count{method="POST",route="/v1/widget/session"}"#], 2.0);
    // Every event of this log was committed by this process.
    assert_eq!(seen["livechatlog_commit_events_sum"], seen["livechatlog_log_position"]);
    assert!(seen["livechatlog_append_seconds_count"] >= seen["livechatlog_commit_seconds_count"]);
    assert!(sum(&seen, "livechatlog_projection_running{") >= 7.0);
    assert!(seen["process_resident_memory_bytes"] > 1e6);
    // No path, name or method of a client becomes a series.
    client.get("/v1/threads/0198c0de-0000-7000-8000-000000000000/events").await.expect(401);
    client.get("/nowhere/at/all").await.expect(404);
    client.request(Method::from_bytes(b"FROB").unwrap(), "/health", None).await.expect(405);
    let seen = read(client, METRICS_TOKEN).await;
    assert!(
        seen.keys()
            .all(|series| !series.contains("0198c0de") && !series.contains("nowhere") && !series.contains("FROB"))
    );
}

each_database!(figures_are_for_admins_and_who_has_the_token);
async fn figures_are_for_admins_and_who_has_the_token(database: TestDatabase) {
    let server = Server::start(&database).await;
    let client = server.client();
    client.get("/metrics").await.expect(401);
    for token in ["", "a token for metric", "a token for metrics!", "A token for metrics"] {
        client.with_token(token).get("/metrics").await.expect(401);
    }
    server.visitor("Vera").await.client.get("/metrics").await.expect(403);
    server.person("supervisor", "online", 1).await.client.get("/metrics").await.expect(403);
    let admin = server.admin().await.client;
    assert!(!read(&client, admin.token().expect("a token")).await.is_empty());
    read(&client, METRICS_TOKEN).await;
    // The token is for nothing else.
    client.with_token(METRICS_TOKEN).get("/v1/audit").await.expect(401);
}

each_database!(figures_are_told_when_the_database_does_not_work);
async fn figures_are_told_when_the_database_does_not_work(database: TestDatabase) {
    let server = Server::start(&database).await;
    server.visitor("Vera").await;
    let other = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    let mut session = other.log_session().await.unwrap();
    session.query("ALTER TABLE routing_queue RENAME TO routing_queue_away").await.unwrap();
    let told = read(&server.client(), METRICS_TOKEN).await;
    assert!(sum(&told, "livechatlog_http_requests_total{") >= 1.0);
    session.query("ALTER TABLE routing_queue_away RENAME TO routing_queue").await.unwrap();
    session.close().await;
}

each_database!(what_the_board_shows_is_measured);
async fn what_the_board_shows_is_measured(database: TestDatabase) {
    let server = Server::start(&database).await;
    server.agent(1).await;
    let visitor = server.visitor("Vera").await;
    let (mut stream, _) = Stream::join(server.base(), visitor.client.token().unwrap(), None).await;
    let said = json!({ "content": "x" });
    visitor.client.post(&format!("/v1/threads/{}/events", visitor.thread_id), &said).await.expect(201);
    stream.event("the message", |frame| frame["data"]["content"] == "x").await;
    stream.send(&json!({})).await;
    stream.closed().await;
    let metrics = eventually(DEADLINE, "the chat is assigned", async || {
        let seen = read(&server.client(), METRICS_TOKEN).await;
        if sum(&seen, "livechatlog_assignment_seconds_count") > 0.0 { Ok(seen) } else { Err("it waits") }
    })
    .await;
    let names = names_on_board();
    assert!(names.len() >= 15, "{names:?}");
    // What has not gone wrong yet has no series.
    let rare = [
        "livechatlog_command_retries_total",
        "livechatlog_commit_retries_total",
        "livechatlog_append_refusals_total",
        "livechatlog_projection_batches_failed_total",
        "livechatlog_redis_connected",
    ];
    for name in names.iter().filter(|name| !rare.contains(&name.as_str())) {
        let known = metrics.keys().any(|series| series == name || series.starts_with(&format!("{name}{{")));
        assert!(known, "nothing measures {name}");
    }
}

#[tokio::test]
async fn token_is_made_and_kept_where_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let process = Process::builder().setting("DATA_DIR", folder.path().display().to_string()).start().await;
    let file = folder.path().join("metrics_token");
    let token = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    read(process.client(), &token).await;
}
