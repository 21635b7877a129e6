//! A connection that runs whole scripts, each in one round trip.

use sqlx::mysql::MySqlConnection;
use sqlx::{Connection, Executor};

use super::row::Row;
use super::sqlite::SqliteSession;
use super::{DatabaseError, Dialect};

/// A connection of its own that runs scripts: statements separated by `;`, which stop at the first error.
///
/// Dropped in the middle of a transaction, the database rolls that back; but on SQLite a script that is a whole
/// transaction is run to its end.
pub struct Session(pub(crate) Inner);

pub(crate) enum Inner {
    Mysql(MySqlConnection),
    Sqlite(SqliteSession),
}

impl Session {
    /// The dialect of its SQL.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match &self.0 {
            Inner::Mysql(_) => Dialect::Mysql,
            Inner::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Runs a script and tells how many rows its statements affected together.
    ///
    /// After an error a transaction that the script began may be open: call [`Session::rollback`].
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn run(&mut self, script: &str) -> Result<u64, DatabaseError> {
        match &mut self.0 {
            Inner::Mysql(connection) => Ok(connection.execute(sqlx::raw_sql(script)).await?.rows_affected()),
            Inner::Sqlite(session) => session.run(script).await,
        }
    }

    /// Runs a script that begins a transaction and ends it, durably.
    ///
    /// After an error the transaction may be open: call [`Session::rollback`].
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn run_whole(&mut self, script: String) -> Result<(), DatabaseError> {
        match &mut self.0 {
            Inner::Mysql(connection) => {
                connection.execute(sqlx::raw_sql(&script)).await?;
                Ok(())
            }
            Inner::Sqlite(session) => session.run_whole(script).await,
        }
    }

    /// Runs a script and gives the rows of all its queries.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn query(&mut self, script: &str) -> Result<Vec<Row>, DatabaseError> {
        match &mut self.0 {
            Inner::Mysql(connection) => {
                let rows = connection.fetch_all(sqlx::raw_sql(script)).await?;
                Ok(rows.into_iter().map(Row::from).collect())
            }
            Inner::Sqlite(session) => session.query(script).await,
        }
    }

    /// Ends an open transaction without its changes; fine when there is none.
    ///
    /// # Errors
    /// When the connection is of no use any more; drop the session then.
    pub async fn rollback(&mut self) -> Result<(), DatabaseError> {
        match &mut self.0 {
            Inner::Mysql(connection) => {
                connection.execute(sqlx::raw_sql("ROLLBACK")).await?;
            }
            Inner::Sqlite(session) => session.rollback().await,
        }
        Ok(())
    }

    /// Gives the session back after its transaction has ended.
    pub async fn close(self) {
        match self.0 {
            Inner::Mysql(connection) => drop(connection.close().await),
            Inner::Sqlite(session) => session.close(),
        }
    }
}
