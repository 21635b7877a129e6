//! Users of the database who may not do everything.

use harness::{DEADLINE, Process, TestDatabase, run_on};
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
