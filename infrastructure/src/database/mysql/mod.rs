//! MySQL and MariaDB.

mod renewal;
mod restarts;
#[cfg(test)]
mod tests;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{ConnectOptions, Connection, Executor, MySql, MySqlPool};
use tokio::time::timeout;

use super::row::Row;
use super::session::{Inner as SessionInner, Session};
use super::statements::{MOST_ENQUEUED, Script, Statement};
use super::value::bind_mysql;
use super::{DatabaseError, DatabaseOptions, SqlValue};
use renewal::Renewal;
use restarts::Restarts;

/// Every connection works alike, whatever the server's defaults and its `init_connect` are. `||` joins text, as in SQLite.
/// The comments are for MariaDB and for MySQL alone.
const SETTINGS: [&str; 5] = [
    "SET SESSION autocommit = 1, SESSION completion_type = 0, SESSION sql_safe_updates = 0, \
     SESSION foreign_key_checks = 1, SESSION unique_checks = 1, SESSION sql_auto_is_null = 0, \
     SESSION sql_big_selects = 1, SESSION sql_select_limit = 18446744073709551615, SESSION sql_quote_show_create = 1 \
     /*M!100200 , SESSION check_constraint_checks = 1, SESSION max_statement_time = 0 */ \
     /*!50708 , SESSION max_execution_time = 0 */",
    "SET SESSION TRANSACTION READ WRITE",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,\
     ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,PIPES_AS_CONCAT'",
    "SET SESSION innodb_lock_wait_timeout = 10",
];

/// What the program relies on in each session, as the servers show it: names, and the value that [`SETTINGS`] has set. Each
/// server has only some of them.
pub(crate) const RELIED_ON: [(&str, &str); 14] = [
    ("autocommit", "ON"),
    ("completion_type", "NO_CHAIN"),
    ("sql_safe_updates", "OFF"),
    ("foreign_key_checks", "ON"),
    ("unique_checks", "ON"),
    ("sql_auto_is_null", "OFF"),
    ("sql_big_selects", "ON"),
    ("sql_select_limit", "18446744073709551615"),
    ("sql_quote_show_create", "ON"),
    // Appends let a check fail where the log has moved.
    ("check_constraint_checks", "ON"),
    ("max_statement_time", "0.000000"),
    ("max_execution_time", "0"),
    ("tx_read_only", "OFF"),
    ("transaction_read_only", "OFF"),
];

/// A connection that was idle for longer is tried before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(2);

/// The appender does not wait long for another node's commit: it must answer its callers.
const LOG_LOCK_WAIT: &str = "SET SESSION innodb_lock_wait_timeout = 2";

/// How long a statement outside of a transaction may take. A network that swallows packets would block it for much
/// longer.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long it may take to find out why no connection can be made.
const LAST_TRY: Duration = Duration::from_secs(2);

/// How often a query is sent when connections turn out to be dead.
const READ_TRIES: usize = 4;

/// What an address says.
pub(crate) fn address(url: &str) -> Result<MySqlConnectOptions, DatabaseError> {
    let url = url.replacen("mariadb:", "mysql:", 1);
    MySqlConnectOptions::from_str(&url)
        .map_err(|_| DatabaseError::Address("cannot be parsed as mysql://user:password@host:port/database"))
}

/// A pool of connections, and how to make one more.
pub(crate) struct Mysql {
    pool: MySqlPool,
    connect: Box<MySqlConnectOptions>,
    acquire_timeout: Duration,
    restarts: Arc<Restarts>,
    renewal: Arc<Renewal>,
}

impl Mysql {
    pub(crate) async fn connect(url: &str, options: DatabaseOptions) -> Result<Self, DatabaseError> {
        let connect = address(url)?
            .charset("utf8mb4")
            .timezone(Some("+00:00".to_owned()))
            // Statements carry what people write; that must not reach the program's log.
            .disable_statement_logging();
        let restarts = Arc::new(Restarts::new());
        let seen = Arc::clone(&restarts);
        let renewal = Arc::new(Renewal::default());
        let renewed = Arc::clone(&renewal);
        let pool = MySqlPoolOptions::new()
            .max_connections(options.pool_size)
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                let is_outdated = renewed.is_outdated(meta.age);
                Box::pin(async move {
                    if is_outdated {
                        return Ok(false);
                    }
                    if meta.idle_for > TRUSTED_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(move |connection, _| {
                let seen = Arc::clone(&seen);
                Box::pin(async move {
                    configure(connection).await?;
                    seen.look_at(connection).await
                })
            })
            .connect_with(connect.clone())
            .await;
        let pool = match pool {
            // The pool reports only that it has tried for some time.
            Err(sqlx::Error::PoolTimedOut) => return Err(cause_of_time_out(&connect).await),
            Err(error) => return Err(unreachable(&connect, error)),
            Ok(pool) => pool,
        };
        Ok(Self { pool, connect: Box::new(connect), acquire_timeout: options.acquire_timeout, restarts, renewal })
    }

    /// Gives up all connections that were made until now, if the error says that they lead to the wrong server.
    pub(crate) fn note(&self, error: &DatabaseError) {
        self.renewal.note(error);
    }

    pub(crate) const fn pool(&self) -> &MySqlPool {
        &self.pool
    }

    pub(crate) fn restarts(&self) -> u64 {
        self.restarts.count()
    }

    pub(crate) async fn fetch_all(&self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        let mut tries = READ_TRIES;
        loop {
            let fetching = bind_mysql(sql, args.clone()).fetch_all(&self.pool);
            let result = timeout(STATEMENT_TIMEOUT, fetching).await.map_err(|_| DatabaseError::NoAnswer)?;
            tries -= 1;
            match result {
                Ok(rows) => return Ok(rows.into_iter().map(Row::from).collect()),
                // A restarted server leaves dead connections behind; each is found by using it.
                Err(sqlx::Error::Io(_)) if tries > 0 => {}
                Err(error) => return Err(self.renewal.noted(error.into())),
            }
        }
    }

    pub(crate) async fn execute(&self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        let executing = bind_mysql(sql, args).execute(&self.pool);
        let result = timeout(STATEMENT_TIMEOUT, executing).await.map_err(|_| DatabaseError::NoAnswer)?;
        Ok(result.map_err(|error| self.renewal.noted(error.into()))?.rows_affected())
    }

    /// A connection for a transaction that has still to be begun.
    pub(crate) async fn transaction(&self) -> Result<MysqlTransaction, DatabaseError> {
        let connection = self.pool.acquire().await?;
        let renewal = Arc::clone(&self.renewal);
        Ok(MysqlTransaction { connection, unsettled: false, enqueued: Some(Script::begin()), renewal })
    }

    pub(crate) async fn session(&self) -> Result<Session, DatabaseError> {
        let opening = async {
            let mut connection = self.connect.connect().await?;
            configure(&mut connection).await?;
            connection.execute(LOG_LOCK_WAIT).await?;
            self.restarts.look_at(&mut connection).await?;
            Ok::<_, sqlx::Error>(connection)
        };
        let connection = timeout(self.acquire_timeout, opening).await.map_err(|_| DatabaseError::NoAnswer)??;
        Ok(Session(SessionInner::Mysql(connection)))
    }
}

/// A transaction on a connection of the pool.
pub(crate) struct MysqlTransaction {
    connection: PoolConnection<MySql>,
    /// It may be open.
    unsettled: bool,
    /// Not sent yet; `None` where each statement is sent by itself.
    enqueued: Option<Script>,
    renewal: Arc<Renewal>,
}

impl MysqlTransaction {
    pub(crate) const fn is_batched(&self) -> bool {
        self.enqueued.is_some()
    }

    /// Sends what is enqueued, and each later statement by itself.
    pub(crate) async fn send_each(&mut self) -> Result<(), DatabaseError> {
        self.send().await?;
        self.enqueued = None;
        Ok(())
    }

    pub(crate) async fn fetch_all(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        let Some(enqueued) = &mut self.enqueued else {
            let rows = bind_mysql(sql, args).fetch_all(&mut *self.connection).await;
            let rows = rows.map_err(|error| self.renewal.noted(error.into()))?;
            return Ok(rows.into_iter().map(Row::from).collect());
        };
        enqueued.push(&Statement::new(sql, args));
        let (script, checks) = enqueued.take();
        self.unsettled = true;
        let rows = self.connection.fetch_all(sqlx::raw_sql(&script)).await;
        let mut rows = rows.map_err(|error| self.renewal.noted(error.into()))?;
        let answer = rows.split_off(checks.min(rows.len()));
        Ok(answer.into_iter().map(Row::from).collect())
    }

    pub(crate) async fn execute(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        self.send().await?;
        let done = bind_mysql(sql, args).execute(&mut *self.connection).await;
        Ok(done.map_err(|error| self.renewal.noted(error.into()))?.rows_affected())
    }

    /// Runs a statement, perhaps not before the next query or the commit.
    pub(crate) async fn enqueue(&mut self, statement: Statement) -> Result<(), DatabaseError> {
        let Some(enqueued) = &mut self.enqueued else {
            let args = statement.args().cloned().collect();
            let done = bind_mysql(&statement.sql, args).execute(&mut *self.connection).await;
            return done.map(drop).map_err(|error| self.renewal.noted(error.into()));
        };
        enqueued.push(&statement);
        if enqueued.len() > MOST_ENQUEUED { self.send().await } else { Ok(()) }
    }

    pub(crate) async fn commit(mut self) -> Result<(), DatabaseError> {
        let mut last = self.enqueued.as_mut().map(|enqueued| enqueued.take().0).unwrap_or_default();
        last.push_str("COMMIT");
        self.run(&last).await?;
        self.unsettled = false;
        Ok(())
    }

    async fn send(&mut self) -> Result<(), DatabaseError> {
        let script = self.enqueued.as_mut().map(|enqueued| enqueued.take().0).unwrap_or_default();
        if script.is_empty() { Ok(()) } else { self.run(&script).await }
    }

    async fn run(&mut self, script: &str) -> Result<(), DatabaseError> {
        self.unsettled = true;
        let done = self.connection.execute(sqlx::raw_sql(script)).await;
        done.map(drop).map_err(|error| self.renewal.noted(error.into()))
    }
}

impl Drop for MysqlTransaction {
    fn drop(&mut self) {
        if self.unsettled {
            // The server rolls back, and the next user of the pool gets another connection.
            self.connection.close_on_drop();
        }
    }
}

/// Why no connection can be made.
async fn cause_of_time_out(connect: &MySqlConnectOptions) -> DatabaseError {
    match timeout(LAST_TRY, connect.connect()).await {
        Ok(Err(error)) => unreachable(connect, error),
        Ok(Ok(_)) | Err(_) => sqlx::Error::PoolTimedOut.into(),
    }
}

/// Names the server: a mistyped address, or a password that is not encoded, shows in the host.
fn unreachable(connect: &MySqlConnectOptions, error: sqlx::Error) -> DatabaseError {
    match error {
        error @ (sqlx::Error::Io(_) | sqlx::Error::Tls(_)) => {
            let (host, port) = (connect.get_host().to_owned(), connect.get_port());
            DatabaseError::Unreachable { host, port, source: error.into() }
        }
        error => error.into(),
    }
}

async fn configure(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql(&SETTINGS.join("; "))).await?;
    Ok(())
}
