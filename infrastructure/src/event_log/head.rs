//! The end of the log, as the database holds it.

use application::ports::LogHead;
use domain::time::Timestamp;

use crate::database::{Database, DatabaseError, ReadSnapshot, Row, Session};

const SELECT_HEAD: &str = "SELECT position, chain_hash, recorded_us, epoch FROM log_head WHERE id = 1";

/// Reads it through the pool.
pub(crate) async fn read(database: &Database) -> Result<LogHead, DatabaseError> {
    head(database.fetch_all(SELECT_HEAD, vec![]).await?.first())
}

/// Reads it in one state of the database.
pub(crate) async fn read_in(snapshot: &mut ReadSnapshot) -> Result<LogHead, DatabaseError> {
    head(snapshot.fetch_all(SELECT_HEAD, vec![]).await?.first())
}

/// Reads it on the appender's connection.
pub(crate) async fn read_on(session: &mut Session) -> Result<LogHead, DatabaseError> {
    head(session.query(SELECT_HEAD).await?.first())
}

/// Begins a transaction that keeps others from appending until it ends. It waits for an append that is being committed, also
/// for one whose connection was lost.
pub(crate) async fn lock_on(session: &mut Session) -> Result<LogHead, DatabaseError> {
    let dialect = session.dialect();
    let script = format!("{}; {SELECT_HEAD}{}", dialect.begin(), dialect.for_update());
    head(session.query(&script).await?.first())
}

fn head(row: Option<&Row>) -> Result<LogHead, DatabaseError> {
    let row = row.ok_or(DatabaseError::from(sqlx::Error::RowNotFound))?;
    Ok(LogHead {
        position: row.int("position")?,
        chain_hash: row.hash("chain_hash")?,
        recorded_at: Timestamp::from_micros(row.int("recorded_us")?),
        epoch: row.uuid("epoch")?,
    })
}
