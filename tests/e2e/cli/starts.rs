//! Processes that start and end side by side on one database.

use std::time::{Duration, Instant};

use application::ports::Ids as _;
use harness::{ADMIN_EMAIL, DEADLINE, DatabaseKind, PASSWORD, Process, ProcessBuilder, TestDatabase, each_database};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::system::RandomIds;
use serde_json::json;

/// A node that dies keeps its leases for three seconds; one that ends gives them back.
const HANDED_OVER: Duration = Duration::from_secs(2);

/// A node with a data folder of its own, where the database allows several.
fn node(database: &TestDatabase, secret: &str) -> ProcessBuilder {
    let program = Process::on(database).setting("ADMIN_EMAIL", ADMIN_EMAIL).setting("ADMIN_PASSWORD", PASSWORD);
    match database.kind() {
        DatabaseKind::Sqlite => program,
        DatabaseKind::MySql => program.setting("DATA_DIR", "data").setting("JWT_SECRET", secret),
    }
}

async fn connect(database: &TestDatabase) -> Database {
    Database::connect(database.url(), DatabaseOptions::default()).await.unwrap()
}

each_database!(those_who_start_at_once_on_an_empty_database_set_it_up_once);
async fn those_who_start_at_once_on_an_empty_database_set_it_up_once(database: TestDatabase) {
    let secret = RandomIds.new_uuid().to_string();
    let mut nodes = [node(&database, &secret).spawn(), node(&database, &secret).spawn()];
    if database.kind() == DatabaseKind::MySql {
        for node in &mut nodes {
            node.wait_until_ready().await;
        }
    } else {
        // A file has one server; the other one leaves it alone.
        let [first, second] = &mut nodes;
        harness::eventually(DEADLINE, "one has ended", async || {
            if first.ended().is_some() || second.ended().is_some() { Ok(()) } else { Err("both run") }
        })
        .await;
        let (ended, running) = if first.ended().is_some() { (first, second) } else { (second, first) };
        assert_eq!(ended.ended().unwrap().code(), Some(1), "{}", ended.log());
        assert!(ended.log().contains("another livechatlog uses the data folder"), "{}", ended.log());
        running.wait_until_ready().await;
    }
    let running = nodes.iter_mut().find_map(|node| node.ended().is_none().then_some(&*node)).unwrap();
    let login = json!({ "email": ADMIN_EMAIL, "password": PASSWORD });
    let login = running.client().post("/v1/auth/login", &login).await.expect(200);
    let admin = running.client().with_token(login.text("/access_token"));
    for list in ["/v1/agents", "/v1/groups"] {
        let all = admin.get(list).await.expect(200).body;
        assert_eq!(all["data"].as_array().unwrap().len(), 1, "{all:#}");
    }
    let store = connect(&database).await;
    assert!(store.pending_migrations().await.unwrap().is_empty());
    store.close().await;
}

each_database!(newer_schema_stops_the_start_and_says_so);
async fn newer_schema_stops_the_start_and_says_so(database: TestDatabase) {
    node(&database, "a secret of at least thirty-two bytes").start().await.terminate().await;
    let store = connect(&database).await;
    let newer = Database::known_schema() + 1;
    let sql =
        format!("INSERT INTO schema_migrations (version, name, digest, applied_us) VALUES ({newer}, 'newer', '', 0)");
    store.execute(&sql, vec![]).await.unwrap();
    store.close().await;
    let mut process = node(&database, "a secret of at least thirty-two bytes").argument("serve").spawn();
    assert_eq!(process.wait_for_end(DEADLINE).await.code(), Some(1), "{}", process.log());
    let expected = format!("the database's schema is at version {newer}, this program knows {}", newer - 1);
    assert!(
        process.log().contains(&expected) && process.log().contains("it needs a newer program"),
        "{}",
        process.log()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_that_ends_gives_its_leases_back() {
    let Some(database) = TestDatabase::mysql("node_that_ends_gives_its_leases_back").await else { return };
    let secret = RandomIds.new_uuid().to_string();
    // The first one leads.
    let mut first = node(&database, &secret).start().await;
    let second = node(&database, &secret).start().await;
    let begin = json!({ "initialMessage": "Is anybody there?" });
    second.client().post("/v1/widget/session", &begin).await.expect(201);
    assert!(first.terminate().await.success());
    let ended = Instant::now();
    let begun =
        second.client().with_header("prefer", "respond-async").post("/v1/widget/session", &begin).await.expect(201);
    let visitor = second.client().with_token(begun.text("/sessionToken"));
    let demanding = visitor.with_header("if-position-at-least", &begun.position().to_string());
    demanding.get(&format!("/v1/threads/{}/events", begun.text("/threadId"))).await.expect(200);
    assert!(ended.elapsed() < HANDED_OVER, "it took {:?}", ended.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_that_ends_leaves_everything_in_its_one_file_or_says_that_it_does_not() {
    let database = TestDatabase::sqlite();
    let file = Database::file(database.url()).unwrap();
    for is_read in [false, true] {
        let mut process = node(&database, "").start().await;
        let begin = json!({ "initialMessage": "Is anybody there?" });
        process.client().post("/v1/widget/session", &begin).await.expect(201);
        let reader = connect(&database).await;
        let reading = if is_read { Some(reader.snapshot().await.unwrap()) } else { None };
        process.client().post("/v1/widget/session", &begin).await.expect(201);
        let end = head(&reader).await;
        assert!(process.terminate().await.success());
        let copy = file.with_extension("copy");
        std::fs::copy(&file, &copy).unwrap();
        let copied =
            Database::connect(&format!("sqlite:{}", copy.display()), DatabaseOptions::default()).await.unwrap();
        assert_eq!(head(&copied).await == end, !is_read, "{}", process.log());
        assert_eq!(process.log().contains("copy its -wal file with it"), is_read, "{}", process.log());
        copied.close().await;
        drop(reading);
        reader.close().await;
    }
}

async fn head(database: &Database) -> i64 {
    let row = database.fetch_optional("SELECT position FROM log_head WHERE id = 1", vec![]).await.unwrap();
    row.map_or(0, |row| row.int("position").unwrap())
}

#[tokio::test]
async fn nodes_with_different_secrets_are_hinted_at_once() {
    let start = async || {
        let program = Process::builder().setting("ADMIN_EMAIL", ADMIN_EMAIL).setting("ADMIN_PASSWORD", PASSWORD);
        program.start().await
    };
    let (one, other) = (start().await, start().await);
    let login = json!({ "email": ADMIN_EMAIL, "password": PASSWORD });
    let token = one.client().post("/v1/auth/login", &login).await.expect(200).text("/access_token").to_owned();
    for _ in 0..3 {
        other.client().with_token(&token).get("/v1/auth/me").await.expect(401);
        one.client().with_token(format!("{token}x")).get("/v1/auth/me").await.expect(401);
        one.client().with_token("no token").get("/v1/auth/me").await.expect(401);
    }
    assert_eq!(other.log().matches("JWT_SECRET must be the same on all nodes").count(), 1, "{}", other.log());
}
