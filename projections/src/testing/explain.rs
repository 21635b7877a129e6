use infrastructure::database::{Database, Dialect, Row, SqlValue};

/// How the database would run a statement. MySQL tells it only of statements whose values are in their text, and MySQL 9
/// names the columns only where the statement is not prepared.
pub(crate) async fn explain(database: &Database, sql: &str, args: Vec<SqlValue>) -> Vec<Row> {
    let explain = match database.dialect() {
        Dialect::Sqlite => "EXPLAIN QUERY PLAN",
        Dialect::Mysql => "EXPLAIN FORMAT=TRADITIONAL",
    };
    let literal = |value| match value {
        SqlValue::Int(number) => number.to_string(),
        SqlValue::Text(text) => format!("'{text}'"),
        SqlValue::Null | SqlValue::Bytes(_) => panic!("no read looks for it"),
    };
    let sql = args.into_iter().map(literal).fold(sql.to_owned(), |sql, value| sql.replacen('?', &value, 1));
    let mut session = database.log_session().await.unwrap();
    let rows = session.query(&format!("{explain} {sql}")).await.unwrap();
    session.close().await;
    rows
}
