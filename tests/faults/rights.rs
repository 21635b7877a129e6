//! Users of the database who may not do everything.

use harness::{DEADLINE, Process, TestDatabase, eventually, run_on};
use infrastructure::database::{Database, DatabaseOptions};
use serde_json::json;

use crate::servers::Mariadb;

/// The address of the same database for a user with these rights alone, and a password full of signs.
async fn with_rights(database: &TestDatabase, rights: &str) -> String {
    let (server, name) = database.url().rsplit_once('/').unwrap();
    let store = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    store.execute("CREATE USER 'service'@'%' IDENTIFIED BY 'p@ss/w#rd'", vec![]).await.unwrap();
    store.execute(&format!("GRANT {rights} ON `{name}`.* TO 'service'@'%'"), vec![]).await.unwrap();
    store.close().await;
    format!("mysql://service:p%40ss%2Fw%23rd@{}/{name}", server.rsplit('@').next().unwrap())
}

#[tokio::test]
async fn user_without_rights_to_define_tables_serves_what_another_has_migrated() {
    let test = "user_without_rights_to_define_tables_serves_what_another_has_migrated";
    let Some(server) = Mariadb::start(test).await else { return };
    let database = TestDatabase::on_server(server.url()).await;
    let url = with_rights(&database, "SELECT, INSERT, UPDATE, DELETE").await;
    let serve = || Process::on(&database).setting("DATABASE_URL", &url);
    let mut refused = serve().argument("serve").spawn();
    assert_eq!(refused.wait_for_end(DEADLINE).await.code(), Some(1), "nothing is there yet: {}", refused.log());
    assert!(refused.log().contains("CREATE"), "{}", refused.log());
    let migrated = run_on(&database, &["migrate"], &[]);
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let mut process = serve().start().await;
    process.client().post("/v1/widget/session", &json!({ "initialMessage": "Hello" })).await.expect(201);
    let checked = run_on(&database, &["check"], &[("DATABASE_URL", &url)]);
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(told.contains("enough to serve, not to migrate, rebuild and restore"), "{told}");
    assert!(process.terminate().await.success());
}

async fn run(store: &Database, statement: &str) {
    store.execute(statement, vec![]).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
}

#[tokio::test]
async fn changed_password_is_named_as_the_reason_until_it_is_right_again() {
    let test = "changed_password_is_named_as_the_reason_until_it_is_right_again";
    let Some(server) = Mariadb::start(test).await else { return };
    let database = TestDatabase::on_server(server.url()).await;
    let url = with_rights(&database, "ALL PRIVILEGES").await;
    let mut process = Process::on(&database).setting("DATABASE_URL", &url).start().await;
    let store = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    run(&store, "ALTER USER 'service'@'%' IDENTIFIED BY 'rotated'").await;
    run(&store, "KILL CONNECTION USER 'service'@'%'").await;
    let ready = async || process.client().get("/readyz").await;
    let reason = eventually(DEADLINE, "the reason is named", async || {
        let ready = ready().await;
        let database =
            ready.body["checks"].as_array().unwrap().iter().find(|check| check["name"] == "database").cloned();
        let reason = database.and_then(|check| Some(check["reason"].as_str()?.to_owned())).unwrap_or_default();
        if ready.status == 503 && reason.contains("access is denied") { Ok(reason) } else { Err(ready.body) }
    })
    .await;
    assert!(reason.contains("the user, the password or its rights have changed (error 1045)"), "{reason}");
    assert!(!reason.contains("migration") && !reason.contains("service"), "{reason}");
    run(&store, "ALTER USER 'service'@'%' IDENTIFIED BY 'p@ss/w#rd'").await;
    eventually(DEADLINE, "it works again", async || {
        let ready = ready().await;
        if ready.status == 200 { Ok(()) } else { Err(ready.body) }
    })
    .await;
    process.client().post("/v1/widget/session", &json!({ "initialMessage": "Hello" })).await.expect(201);
    assert!(process.terminate().await.success());
}

#[tokio::test]
async fn short_limit_on_the_time_of_statements_stops_no_start_and_no_rebuild() {
    let test = "short_limit_on_the_time_of_statements_stops_no_start_and_no_rebuild";
    let Some(server) = Mariadb::start(test).await else { return };
    let database = TestDatabase::on_server(server.url()).await;
    let store = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    // A tenth of a millisecond: no definition of a table is that quick.
    run(&store, "SET GLOBAL max_statement_time = 0.0001").await;
    let mut process = Process::on(&database).start().await;
    process.client().post("/v1/widget/session", &json!({ "initialMessage": "Hello" })).await.expect(201);
    let rebuilt = run_on(&database, &["replay"], &[]);
    assert!(rebuilt.status.success(), "{}", String::from_utf8_lossy(&rebuilt.stderr));
    assert!(process.terminate().await.success());
}
