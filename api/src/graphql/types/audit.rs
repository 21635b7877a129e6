use async_graphql::{ID, SimpleObject};

use super::{DateTime, Position};
use crate::service::AuditRecord;

/// An event of the log with its proofs. Bytes are in lower-case hexadecimal.
#[derive(Clone, Debug, SimpleObject)]
pub struct AuditEvent {
    /// The event's position in the log.
    pub position: Position,
    /// The time at which the event was recorded.
    pub recorded_at: DateTime,
    /// The actor who caused the event.
    pub actor: String,
    /// The kind of the event's stream.
    pub aggregate_type: String,
    /// The id of the event's stream.
    pub aggregate_id: ID,
    /// The event's position in its stream.
    pub sequence: Position,
    /// The name of the event's type.
    pub r#type: String,
    /// The version of the payload's form.
    pub version: String,
    /// The stored JSON, byte for byte, from which the digest is computed.
    pub payload: String,
    /// Further stored JSON, byte for byte.
    pub metadata: String,
    /// A UUID, unique in the log.
    pub event_id: ID,
    /// The command that the event results from.
    pub command_id: ID,
    /// The event that caused the command; null if none did.
    pub causation_id: Option<ID>,
    /// The id that all events caused by the same request or event share.
    pub correlation_id: ID,
    /// The salt of the digest; null if the payload has been erased.
    pub salt: Option<String>,
    /// SHA-256 of salt and payload.
    pub digest: String,
    /// The hash of the chain up to this event.
    pub hash: String,
}

impl From<AuditRecord> for AuditEvent {
    fn from(record: AuditRecord) -> Self {
        Self {
            position: Position(record.position),
            recorded_at: DateTime(record.recorded_at.to_string()),
            actor: record.actor,
            aggregate_type: record.aggregate_type,
            aggregate_id: record.aggregate_id.into(),
            sequence: Position(record.sequence),
            r#type: record.event_type,
            version: record.version,
            payload: record.payload.get().to_owned(),
            metadata: record.metadata.get().to_owned(),
            event_id: record.event_id.into(),
            command_id: record.command_id.into(),
            causation_id: record.causation_id.map(ID::from),
            correlation_id: record.correlation_id.into(),
            salt: record.salt.map(|salt| hex::encode(salt.0)),
            digest: hex::encode(record.digest),
            hash: hex::encode(record.hash),
        }
    }
}
