use infrastructure::database::{Database, Dialect, Row, SqlValue};

/// How the database would run a statement. MySQL shows it only for statements whose values are in their text, and MySQL 9
/// names the columns only where the statement is not prepared.
pub(crate) async fn explain(database: &Database, sql: &str, args: Vec<SqlValue>) -> Vec<Row> {
    let explain = match database.dialect() {
        Dialect::Sqlite => "EXPLAIN QUERY PLAN",
        Dialect::Mysql => "EXPLAIN FORMAT=TRADITIONAL",
    };
    let mut tx = database.begin_batched_view().await.unwrap();
    let rows = tx.fetch_all(&format!("{explain} {sql}"), args).await.unwrap();
    tx.commit().await.unwrap();
    rows
}
