use sqlx::Row as _;

use super::*;
use crate::testing::TestDatabase;

#[tokio::test]
async fn sessions_have_what_the_program_relies_on_whatever_the_defaults_are() {
    const ADVERSE: &str = "SET SESSION autocommit = 0, completion_type = 1, sql_safe_updates = 1, foreign_key_checks = 0, \
                           unique_checks = 0, sql_auto_is_null = 1, sql_select_limit = 3, sql_quote_show_create = 0, \
                           max_join_size = 100000 /*M!100200 , check_constraint_checks = 0, max_statement_time = 7 */ \
                           /*!50708 , max_execution_time = 7000 */; SET SESSION TRANSACTION READ ONLY";
    let Some(database) = TestDatabase::mysql("adverse defaults").await else { return };
    let mut connection = address(database.url()).unwrap().connect().await.unwrap();
    connection.execute(sqlx::raw_sql(ADVERSE)).await.unwrap();
    let relied_on = async |connection: &mut MySqlConnection| {
        let rows = connection.fetch_all(sqlx::raw_sql("SHOW SESSION VARIABLES")).await.unwrap();
        let pair = |row: &sqlx::mysql::MySqlRow| (row.get::<String, _>(0), row.get::<String, _>(1));
        let shown: std::collections::BTreeMap<_, _> = rows.iter().map(pair).collect();
        RELIED_ON.map(|(name, value)| (name, value, shown.get(name).cloned()))
    };
    let before = relied_on(&mut connection).await;
    configure(&mut connection).await.unwrap();
    let after = relied_on(&mut connection).await;
    let mut compared = 0;
    for ((name, value, before), (_, _, after)) in before.into_iter().zip(after) {
        assert_eq!(after.as_deref().unwrap_or(value), value, "{name}");
        assert!(before.is_none() || before.as_deref() != Some(value), "{name} was right before");
        compared += usize::from(after.is_some());
    }
    assert!(compared >= 11, "{compared} variables were compared");
}

#[tokio::test]
async fn refused_write_renews_every_connection_of_the_pool() {
    const CONNECTIONS: u32 = 4;
    let Some(database) = TestDatabase::mysql("wrong server").await else { return };
    let options = DatabaseOptions { pool_size: CONNECTIONS, ..DatabaseOptions::default() };
    let mysql = Mysql::connect(database.url(), options).await.unwrap();
    mysql.execute("CREATE TABLE t (x INT PRIMARY KEY)", vec![]).await.unwrap();
    // To each connection the server looks like one that was demoted.
    let mut held = vec![];
    for _ in 0..CONNECTIONS {
        let mut connection = mysql.pool().acquire().await.unwrap();
        connection.execute("SET SESSION TRANSACTION READ ONLY").await.unwrap();
        held.push(connection);
    }
    drop(held);
    let refused = mysql.execute("INSERT INTO t VALUES (1)", vec![]).await.unwrap_err();
    assert!(refused.is_of_wrong_server(), "{refused:?}");
    for _ in 0..CONNECTIONS {
        let read_only = "SELECT CAST(@@session.tx_read_only AS SIGNED) AS n";
        let newer = "SELECT CAST(@@session.transaction_read_only AS SIGNED) AS n";
        let rows = match mysql.fetch_all(read_only, vec![]).await {
            Ok(rows) => rows,
            Err(_) => mysql.fetch_all(newer, vec![]).await.unwrap(),
        };
        assert_eq!(rows[0].int("n").unwrap(), 0);
    }
    let inserts = (0..CONNECTIONS).map(|x| mysql.execute("INSERT INTO t VALUES (?)", vec![i64::from(x).into()]));
    assert!(futures::future::join_all(inserts).await.iter().all(Result::is_ok));
}
