//! Stored states of aggregates.

use application::InstallationKey;
use application::ports::{StreamId, VersionedState};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::database::{Database, DatabaseError};
use crate::sql_args;

const SELECT: &str = "SELECT version, state FROM snapshots WHERE aggregate_type = ? AND aggregate_id = ? \
                      AND fingerprint = ?";

/// Only while the log has the last event of the state: the database may have been set back since it was read.
const REPLACE: &str = "REPLACE INTO snapshots (aggregate_type, aggregate_id, fingerprint, version, state) \
                       SELECT ?, ?, ?, ?, ? FROM log_head WHERE id = 1 AND EXISTS (SELECT 1 FROM events \
                       WHERE aggregate_type = ? AND aggregate_id = ? AND sequence = ?)";

/// A state with a seal: rights follow from states, and no chain of hashes covers the table of snapshots.
#[derive(Serialize, Deserialize)]
struct Sealed {
    /// Of everything else, under the installation's key, in hexadecimal digits.
    seal: String,
    state: Value,
}

impl Sealed {
    fn new(key: &InstallationKey, (stream, fingerprint): (StreamId, &str), kept: VersionedState) -> Self {
        let VersionedState { version, state } = kept;
        let version = version.to_be_bytes();
        let text = state.to_string();
        let (kind, id) = (stream.kind.as_str().as_bytes(), stream.id.as_bytes());
        let seal = key.digest(&[b"snapshot", kind, id, fingerprint.as_bytes(), &version, text.as_bytes()]);
        Self { seal: hex::encode(seal), state }
    }
}

/// The snapshot of a stream, if there is one with this fingerprint that this installation has made.
pub(crate) async fn find(
    (database, key): (&Database, &InstallationKey),
    stream: StreamId,
    fingerprint: &str,
) -> Result<Option<VersionedState>, DatabaseError> {
    let args = sql_args![stream.kind.as_str(), stream.id, fingerprint];
    let Some(row) = database.fetch_optional(SELECT, args).await? else { return Ok(None) };
    let Ok(found) = serde_json::from_str::<Sealed>(&row.text("state")?) else { return Ok(None) };
    let kept = VersionedState { version: row.int("version")?, state: found.state };
    if Sealed::new(key, (stream, fingerprint), kept.clone()).seal == found.seal {
        return Ok(Some(kept));
    }
    tracing::warn!(%stream, "a snapshot is not what this installation has stored; the state is read from the events");
    Ok(None)
}

/// Keeps a snapshot in place of the one before.
pub(crate) async fn save(
    (database, key): (&Database, &InstallationKey),
    stream: StreamId,
    fingerprint: &str,
    snapshot: VersionedState,
) -> Result<(), DatabaseError> {
    let version = snapshot.version;
    let sealed = Sealed::new(key, (stream, fingerprint), snapshot);
    let text = serde_json::to_string(&sealed).expect("a state is JSON already");
    let (kind, id) = (stream.kind.as_str(), stream.id);
    let args = sql_args![kind, id, fingerprint, version, text, kind, id, version];
    database.execute_unflushed(REPLACE, args).await?;
    Ok(())
}
