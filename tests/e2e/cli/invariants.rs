//! The operator asks whether the log is sound.

use harness::{DEADLINE, Server, TestDatabase, each_database, eventually, run_on};
use infrastructure::database::{Database, DatabaseOptions};
use serde_json::{Value, json};

each_database!(check_tells_what_must_never_be_in_the_log);
async fn check_tells_what_must_never_be_in_the_log(database: TestDatabase) {
    let server = Server::start(&database).await;
    server.agent(3).await;
    let visitor = server.visitor("Hello?").await;
    eventually(DEADLINE, "the chat is served", async || {
        let chat = visitor.conversation().await;
        if chat["status"] == "active" { Ok(()) } else { Err(chat) }
    })
    .await;
    server.stop().await;

    let check = ["check", "--invariants"];
    let sound = run_on(&database, &check, &[]);
    let told = String::from_utf8_lossy(&sound.stdout);
    assert!(sound.status.success() && told.contains("of 1 conversations: 0 violations"), "{sound:?}");

    let connection = Database::connect(database.url(), DatabaseOptions::default()).await.expect("the database");
    let lie = "UPDATE events SET payload = REPLACE(payload, '\"overLimit\":false', '\"overLimit\":true')";
    connection.execute(lie, vec![]).await.expect("a writer of the database can do that");
    connection.close().await;

    let broken = run_on(&database, &check, &[]);
    assert_eq!(broken.status.code(), Some(1), "{broken:?}");
    assert!(String::from_utf8_lossy(&broken.stdout).contains("(within_limit)"), "{broken:?}");
    assert!(!String::from_utf8_lossy(&broken.stdout).contains("(command_log)"), "{broken:?}");
    let connection = Database::connect(database.url(), DatabaseOptions::default()).await.expect("the database");
    // Four wrong records: of an event of another command, of none, of one too many, and of no place.
    for (first, last) in [(1, 1), (1_000, 1_001), (1, 2), (5, 4)] {
        let id = uuid::Uuid::from_u128(first * 10_000 + last);
        let record = format!(
            "INSERT INTO command_log (command_id, request_digest, first_position, last_position, recorded_us) VALUES ('{id}', X'{}', {first}, {last}, 1)",
            "00".repeat(32)
        );
        connection.execute(&record, vec![]).await.expect("a wrong record");
    }
    connection.close().await;
    let broken = run_on(&database, &["check", "--invariants", "--json"], &[]);
    assert_eq!(String::from_utf8_lossy(&broken.stdout).matches(r#""rule":"command_log""#).count(), 4, "{broken:?}");
    let lines: Vec<Value> = String::from_utf8_lossy(&broken.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object a line"))
        .collect();
    assert!(lines.iter().any(|line| line["rule"] == "within_limit" && line["position"].is_i64()), "{lines:?}");
    assert_eq!(lines.last().map(|line| line["violations"].clone()), Some(json!(lines.len() - 1)), "{lines:?}");
}
