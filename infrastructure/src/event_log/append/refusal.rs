//! Finds out why a single request was not appended.

use std::sync::Arc;

use application::ports::{AppendError, CommandRecord, Receipt, Sequence, StreamId};
use domain::ids::CommandId;
use domain::time::Timestamp;

use super::request::Prepared;
use crate::database::{Database, DatabaseError, Row};
use crate::sql_args;

const SELECT_COMMAND: &str = "SELECT request_digest, first_position, last_position, recorded_us FROM command_log \
                              WHERE command_id = ?";

const SELECT_VERSION: &str =
    "SELECT MAX(sequence) AS version FROM events WHERE aggregate_type = ? AND aggregate_id = ?";

/// The record of a command, if the log has one.
pub(crate) async fn find_command(database: &Database, id: CommandId) -> Result<Option<CommandRecord>, DatabaseError> {
    let row = database.fetch_optional(SELECT_COMMAND, sql_args![id.to_string()]).await?;
    row.as_ref().map(record).transpose()
}

fn record(row: &Row) -> Result<CommandRecord, DatabaseError> {
    let receipt = Receipt {
        first_position: row.int("first_position")?,
        last_position: row.int("last_position")?,
        recorded_at: Timestamp::from_micros(row.int("recorded_us")?),
    };
    Ok(CommandRecord { request_digest: row.hash("request_digest")?, receipt })
}

/// Finds the reason. `cause` is the error of the database, if the request got that far.
pub(crate) async fn explain(database: &Database, request: &Prepared, cause: Option<DatabaseError>) -> AppendError {
    match look(database, request).await {
        Ok(Some(reason)) => reason,
        Ok(None) => match cause {
            Some(DatabaseError::Check(_)) => AppendError::Invalid { reason: "a payload that is not JSON" },
            Some(cause) => unavailable(&Arc::new(cause)),
            None => unavailable(&Arc::new(DatabaseError::from(sqlx::Error::RowNotFound))),
        },
        Err(error) => unavailable(&Arc::new(error)),
    }
}

async fn look(database: &Database, request: &Prepared) -> Result<Option<AppendError>, DatabaseError> {
    let command_id = request.command_id;
    if request.request_digest.is_some()
        && let Some(record) = find_command(database, command_id).await?
    {
        return Ok(Some(AppendError::Repeated { command_id, record }));
    }
    let expected = request.streams.iter().map(|expected| (expected.stream, expected.expected));
    let observed = request.observed.iter().map(|observed| (observed.stream, observed.version));
    for (stream, version) in expected.chain(observed) {
        if current_version(database, stream).await? != version {
            return Ok(Some(AppendError::Conflict { stream }));
        }
    }
    Ok(None)
}

async fn current_version(database: &Database, stream: StreamId) -> Result<Sequence, DatabaseError> {
    let StreamId { kind, id } = stream;
    let row = database.fetch_optional(SELECT_VERSION, sql_args![kind.as_str(), id]).await?;
    let version = row.as_ref().map(|row| row.opt_int("version")).transpose()?.flatten();
    Ok(version.unwrap_or(0))
}

/// The same failure for each waiting caller.
pub(crate) fn unavailable(error: &Arc<DatabaseError>) -> AppendError {
    AppendError::Unavailable { source: Box::new(Arc::clone(error)) }
}
