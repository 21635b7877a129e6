//! Stored states of aggregates.

use application::ports::{StreamId, VersionedState};

use crate::database::{Database, DatabaseError};
use crate::sql_args;

const SELECT: &str = "SELECT version, state FROM snapshots WHERE aggregate_type = ? AND aggregate_id = ? \
                      AND fingerprint = ?";

const REPLACE: &str = "REPLACE INTO snapshots (aggregate_type, aggregate_id, fingerprint, version, state) \
                       VALUES (?, ?, ?, ?, ?)";

/// The snapshot of a stream, if there is one with this fingerprint and it can be read.
pub(crate) async fn find(
    database: &Database,
    stream: StreamId,
    fingerprint: &str,
) -> Result<Option<VersionedState>, DatabaseError> {
    let args = sql_args![stream.kind.as_str(), stream.id, fingerprint];
    let Some(row) = database.fetch_optional(SELECT, args).await? else { return Ok(None) };
    let state = serde_json::from_str(&row.text("state")?).ok();
    let version = row.int("version")?;
    Ok(state.map(|state| VersionedState { version, state }))
}

/// Keeps a snapshot in place of the one before.
pub(crate) async fn save(
    database: &Database,
    stream: StreamId,
    fingerprint: &str,
    snapshot: VersionedState,
) -> Result<(), DatabaseError> {
    let VersionedState { version, state } = snapshot;
    let args = sql_args![stream.kind.as_str(), stream.id, fingerprint, version, state.to_string()];
    database.execute(REPLACE, args).await?;
    Ok(())
}
