//! Reading one state of the database for as long as it takes.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{Executor, MySql, Sqlite};

use super::row::Row;
use super::transaction::exchange;
use super::value::{bind_mysql, bind_sqlite};
use super::{Database, DatabaseError, Pool, SqlValue, TableNames};

const BEGIN_MYSQL: [&str; 2] =
    ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"];

/// SQLite takes its snapshot with the first read.
const BEGIN_SQLITE: &str = "BEGIN; SELECT position FROM log_head";

/// One state of the database. Its connection is closed when it is dropped.
pub struct Snapshot {
    connection: Connection,
    names: Option<Arc<TableNames>>,
}

enum Connection {
    Mysql(PoolConnection<MySql>),
    Sqlite(PoolConnection<Sqlite>),
}

impl Snapshot {
    pub(crate) async fn take(database: &Database) -> Result<Self, DatabaseError> {
        let connection = match database.pool() {
            Pool::Mysql(pool) => {
                let mut connection = pool.acquire().await?;
                connection.close_on_drop();
                for statement in BEGIN_MYSQL {
                    connection.execute(sqlx::raw_sql(statement)).await?;
                }
                Connection::Mysql(connection)
            }
            Pool::Sqlite(pool) => {
                let mut connection = pool.acquire().await?;
                connection.close_on_drop();
                connection.fetch_all(sqlx::raw_sql(BEGIN_SQLITE)).await?;
                Connection::Sqlite(connection)
            }
        };
        Ok(Self { connection, names: None })
    }

    /// Calls tables otherwise from now on; as they are called when `None`.
    pub fn rename_tables(&mut self, names: Option<Arc<TableNames>>) {
        self.names = names;
    }

    /// The rows that a query gives.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn fetch_all(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        let sql = exchange(self.names.as_deref(), sql);
        Ok(match &mut self.connection {
            Connection::Mysql(connection) => {
                let rows = bind_mysql(&sql, args).fetch_all(&mut **connection).await?;
                rows.into_iter().map(Row::from).collect()
            }
            Connection::Sqlite(connection) => {
                let rows = bind_sqlite(&sql, args).fetch_all(&mut **connection).await?;
                rows.into_iter().map(Row::from).collect()
            }
        })
    }
}
