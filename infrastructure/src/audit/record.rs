//! An event as exports and audit pages show it.

use application::ports::{EventHeader, Hash, Position};
use domain::aggregate::AggregateType;
use domain::ids::{CommandId, EntityId as _, EventId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::event_log::Evidence;

/// An event of the log with its proofs. Bytes are in lower-case hexadecimal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AuditEvent"))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditRecord {
    /// The event's position in the log.
    pub position: Position,
    /// The time at which the event was recorded.
    pub recorded_at: Timestamp,
    /// The actor who caused the event.
    pub actor: String,
    /// The kind of the event's stream.
    pub aggregate_type: String,
    /// The id of the event's stream.
    #[cfg_attr(feature = "schema", schemars(with = "domain::schema::Id"))]
    pub aggregate_id: Uuid,
    /// The event's position in its stream.
    pub sequence: i64,
    /// The name of the event's type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The version of the payload's form.
    pub version: String,
    /// The stored JSON, byte for byte, from which the digest is computed.
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    pub payload: Box<RawValue>,
    /// Further stored JSON, byte for byte.
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    pub metadata: Box<RawValue>,
    /// A UUID, unique in the log.
    #[cfg_attr(feature = "schema", schemars(with = "domain::schema::Id"))]
    pub event_id: Uuid,
    /// The command that the event results from.
    #[cfg_attr(feature = "schema", schemars(with = "domain::schema::Id"))]
    pub command_id: Uuid,
    /// The event that caused the command; null if none did.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::schema::Id>"))]
    pub causation_id: Option<Uuid>,
    /// The id that all events caused by the same request or event share.
    #[cfg_attr(feature = "schema", schemars(with = "domain::schema::Id"))]
    pub correlation_id: Uuid,
    /// The salt of the digest; null if the payload has been erased.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub salt: Option<Salt>,
    /// SHA-256 of salt and payload.
    #[serde(with = "hex::serde")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub digest: Hash,
    /// The hash of the chain up to this event.
    #[serde(with = "hex::serde")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub hash: Hash,
    /// The hash of the chain before this event, if an export has left out the previous event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub previous_hash: Option<HexHash>,
}

/// Bytes in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Salt(#[serde(with = "hex::serde")] pub Vec<u8>);

/// A hash in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HexHash(#[serde(with = "hex::serde")] pub Hash);

impl AuditRecord {
    /// Of a stored event.
    ///
    /// # Errors
    /// When its payload or metadata is not JSON on one line, which nothing that was appended is.
    pub fn new(evidence: Evidence) -> Result<Self, serde_json::Error> {
        let Evidence { header, payload, metadata, salt, payload_digest } = evidence;
        Ok(Self {
            position: header.position,
            recorded_at: header.recorded_at,
            actor: header.actor,
            aggregate_type: header.aggregate_type.as_str().to_owned(),
            aggregate_id: header.aggregate_id,
            sequence: header.sequence,
            event_type: header.event_type,
            version: header.event_version,
            payload: one_line(payload)?,
            metadata: one_line(metadata)?,
            event_id: header.event_id.uuid(),
            command_id: header.command_id.uuid(),
            causation_id: header.causation_id.map(EventId::uuid),
            correlation_id: header.correlation_id,
            salt: salt.map(Salt),
            digest: payload_digest,
            hash: header.chain_hash,
            previous_hash: None,
        })
    }

    /// What its hash can be computed from. `None`: there is no such kind of stream.
    #[must_use]
    pub fn evidence(self) -> Option<Evidence> {
        let header = EventHeader {
            position: self.position,
            aggregate_type: AggregateType::parse(&self.aggregate_type)?,
            aggregate_id: self.aggregate_id,
            sequence: self.sequence,
            event_id: EventId::new(self.event_id),
            event_type: self.event_type,
            event_version: self.version,
            command_id: CommandId::new(self.command_id),
            causation_id: self.causation_id.map(EventId::new),
            correlation_id: self.correlation_id,
            actor: self.actor,
            recorded_at: self.recorded_at,
            chain_hash: self.hash,
        };
        let (payload, metadata) = (self.payload.get().to_owned(), self.metadata.get().to_owned());
        let salt = self.salt.map(|salt| salt.0);
        Some(Evidence { header, payload, metadata, salt, payload_digest: self.digest })
    }
}

fn one_line(json: String) -> Result<Box<RawValue>, serde_json::Error> {
    use serde::de::Error as _;
    if json.contains(['\n', '\r']) {
        return Err(serde_json::Error::custom("more than one line"));
    }
    RawValue::from_string(json)
}
