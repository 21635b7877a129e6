//! Reading one state of the database for as long as it takes.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{Executor, MySql};

use super::row::Row;
use super::sqlite::SqliteSnapshot;
use super::table_names::exchange;
use super::value::bind_mysql;
use super::{Backend, Database, DatabaseError, SqlValue, TableNames};

const BEGIN_MYSQL: [&str; 2] =
    ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"];

/// One state of the database. Its connection is closed when it is dropped.
pub struct ReadSnapshot {
    connection: Connection,
    names: Option<Arc<TableNames>>,
}

enum Connection {
    Mysql(PoolConnection<MySql>),
    Sqlite(SqliteSnapshot),
}

impl ReadSnapshot {
    pub(crate) async fn take(database: &Database) -> Result<Self, DatabaseError> {
        let connection = match database.backend() {
            Backend::Mysql(mysql) => {
                let mut connection = mysql.pool().acquire().await?;
                connection.close_on_drop();
                for statement in BEGIN_MYSQL {
                    connection.execute(sqlx::raw_sql(statement)).await?;
                }
                Connection::Mysql(connection)
            }
            Backend::Sqlite(sqlite) => Connection::Sqlite(sqlite.snapshot().await?),
        };
        Ok(Self { connection, names: None })
    }

    /// Renames tables in later statements; `None` restores their own names.
    pub fn rename_tables(&mut self, names: Option<Arc<TableNames>>) {
        self.names = names;
    }

    /// The rows that a query returns. After an error take another snapshot.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn fetch_all(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        let sql = exchange(self.names.as_deref(), sql);
        match &mut self.connection {
            Connection::Mysql(connection) => {
                let rows = bind_mysql(&sql, args).fetch_all(&mut **connection).await?;
                Ok(rows.into_iter().map(Row::from).collect())
            }
            Connection::Sqlite(snapshot) => snapshot.fetch_all(&sql, args).await,
        }
    }
}
