//! A connection that runs whole scripts, each in one round trip.

use sqlx::mysql::MySqlConnection;
use sqlx::{Connection, Executor};

use super::row::Row;
use super::sqlite::SqliteSession;
use super::statements::WholeTransaction;
use super::{DatabaseError, Dialect};

/// Runs scripts: statements that are separated by `;`, which stop at the first error.
///
/// If it is dropped in the middle of a transaction, the database rolls that back.
pub struct Session(pub(super) Inner);

pub(super) enum Inner {
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

    /// Runs a script and returns the number of rows that its statements have affected together.
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

    /// Commits a transaction durably; it continues the one that a script has begun, if one has.
    ///
    /// After an error the transaction may be open: call [`Session::rollback`].
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn commit(&mut self, whole: &WholeTransaction, has_begun: bool) -> Result<(), DatabaseError> {
        match whole {
            WholeTransaction::Script(script) if has_begun => self.run(script).await.map(drop),
            WholeTransaction::Script(script) => {
                let begin = self.dialect().begin();
                self.run(&format!("{begin}; {script}")).await.map(drop)
            }
            WholeTransaction::Statements(statements) => match &mut self.0 {
                Inner::Sqlite(session) => session.commit(statements).await,
                Inner::Mysql(_) => Err(DatabaseError::OtherDialect),
            },
        }
    }

    /// Runs a script and returns the rows of all its queries.
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

    /// Ends an open transaction without its changes, if there is one.
    ///
    /// # Errors
    /// When the connection is useless; drop the session then.
    pub async fn rollback(&mut self) -> Result<(), DatabaseError> {
        match &mut self.0 {
            Inner::Mysql(connection) => {
                connection.execute(sqlx::raw_sql("ROLLBACK")).await?;
            }
            Inner::Sqlite(session) => session.rollback().await,
        }
        Ok(())
    }

    /// Returns the connection after its transaction has ended.
    pub async fn close(self) {
        match self.0 {
            Inner::Mysql(connection) => drop(connection.close().await),
            Inner::Sqlite(session) => drop(session),
        }
    }
}
