//! A connection that runs whole scripts, each in one round trip.

use sqlx::mysql::MySqlConnection;
use sqlx::{Connection, Executor};

use super::row::Row;
use super::sqlite::{Guard, rollback};
use super::{DatabaseError, Dialect};

/// A connection of its own that runs scripts: statements separated by `;`, which stop at the first error.
///
/// Dropped in the middle of a transaction, the database rolls that back.
pub struct Session(pub(super) Inner);

pub(super) enum Inner {
    Mysql(MySqlConnection),
    Sqlite(Guard),
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
        let script = sqlx::raw_sql(script);
        Ok(match &mut self.0 {
            Inner::Mysql(connection) => connection.execute(script).await?.rows_affected(),
            Inner::Sqlite(writers) => writers.log.execute(script).await?.rows_affected(),
        })
    }

    /// Runs a script and gives the rows of all its queries.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn query(&mut self, script: &str) -> Result<Vec<Row>, DatabaseError> {
        let script = sqlx::raw_sql(script);
        Ok(match &mut self.0 {
            Inner::Mysql(connection) => connection.fetch_all(script).await?.into_iter().map(Row::from).collect(),
            Inner::Sqlite(writers) => writers.log.fetch_all(script).await?.into_iter().map(Row::from).collect(),
        })
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
            Inner::Sqlite(writers) => rollback(&mut writers.log).await,
        }
        Ok(())
    }

    /// Gives the session back after its transaction has ended.
    pub async fn close(self) {
        match self.0 {
            Inner::Mysql(connection) => drop(connection.close().await),
            Inner::Sqlite(mut writers) => writers.unsettled = false,
        }
    }
}
