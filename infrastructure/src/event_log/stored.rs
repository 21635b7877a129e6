//! Events as the database holds them, and how they are read.

use std::sync::Arc;

use application::ports::{EventHeader, LogEvent, Position, ReadError};
use cqrs_es::persist::SerializedEvent;
use domain::aggregate::AggregateType;
use domain::event::{AnyEvent, Upcasters, upcast};
use domain::ids::{CommandId, EventId};
use domain::time::Timestamp;
use serde_json::Value;

use crate::database::{Row, RowError};

/// The columns of an event that are known before it has a place in the log, in the order in which the appender writes them.
pub(crate) const VALUE_COLUMNS: &str = "aggregate_type, aggregate_id, sequence, event_type, event_version, payload, \
                                        metadata, event_id, command_id, causation_id, correlation_id, actor, salt, \
                                        payload_digest";

/// The columns that readers of an event need.
pub(crate) const COLUMNS: &str = "position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                                  payload, metadata, event_id, command_id, causation_id, correlation_id, actor, \
                                  recorded_us, chain_hash";

/// A stored event, not yet decoded.
pub(crate) struct StoredEvent {
    pub(crate) header: EventHeader,
    pub(crate) payload: String,
}

/// Why a stored event is not understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    /// A column holds something else than it should.
    #[error(transparent)]
    Row(#[from] RowError),
    /// An aggregate that this program does not know.
    #[error("there is no aggregate type {0}")]
    AggregateType(String),
    /// An id is not spelled as ids are.
    #[error("the id in {0} is not in lower case with hyphens")]
    Spelling(&'static str),
    /// An event that is not understood, by its wire name.
    #[error("{event_type} {event_version} is not understood")]
    Event {
        event_type: String,
        event_version: String,
        #[source]
        source: Box<DecodeError>,
    },
    /// The payload is no event of its aggregate.
    #[error(transparent)]
    Payload(#[from] serde_json::Error),
}

impl DecodeError {
    fn of_event(self, header: &EventHeader) -> Self {
        let (event_type, event_version) = (header.event_type.clone(), header.event_version.clone());
        Self::Event { event_type, event_version, source: Box::new(self) }
    }

    pub(crate) fn at(self, position: Position) -> ReadError {
        ReadError::Undecodable { position, source: Box::new(self) }
    }
}

impl StoredEvent {
    pub(crate) fn from_row(row: &Row) -> Result<Self, DecodeError> {
        Ok(Self { header: header(row)?, payload: row.text("payload")? })
    }

    /// Brings the event to its newest version and decodes it.
    pub(crate) fn decode(self, upcasters: &Upcasters) -> Result<Arc<LogEvent>, ReadError> {
        let position = self.header.position;
        let decoded = decode(&self.header, &self.payload, upcasters);
        let decoded = decoded.map_err(|error| error.of_event(&self.header).at(position))?;
        Ok(Arc::new(LogEvent { header: self.header, event: decoded }))
    }
}

fn header(row: &Row) -> Result<EventHeader, DecodeError> {
    let kind = row.text("aggregate_type")?;
    Ok(EventHeader {
        position: row.int("position")?,
        aggregate_type: AggregateType::parse(&kind).ok_or(DecodeError::AggregateType(kind))?,
        aggregate_id: row.uuid("aggregate_id")?,
        sequence: row.int("sequence")?,
        event_id: EventId::new(row.uuid("event_id")?),
        event_type: row.text("event_type")?,
        event_version: row.text("event_version")?,
        command_id: CommandId::new(row.uuid("command_id")?),
        causation_id: row.opt_uuid("causation_id")?.map(EventId::new),
        correlation_id: row.uuid("correlation_id")?,
        actor: row.text("actor")?,
        recorded_at: Timestamp::from_micros(row.int("recorded_us")?),
        chain_hash: row.hash("chain_hash")?,
    })
}

/// Reads a payload as that of the event with this header.
pub(crate) fn decode(header: &EventHeader, payload: &str, upcasters: &Upcasters) -> Result<AnyEvent, DecodeError> {
    if needs_upcast(header, upcasters) {
        let payload = upcast(serialized(header, serde_json::from_str(payload)?), upcasters).payload;
        return Ok(AnyEvent::decode(header.aggregate_type, payload)?);
    }
    let mut payload = serde_json::Deserializer::from_str(payload);
    let event = AnyEvent::decode(header.aggregate_type, &mut payload)?;
    payload.end()?;
    Ok(event)
}

fn needs_upcast(header: &EventHeader, upcasters: &Upcasters) -> bool {
    upcasters.iter().any(|upcaster| upcaster.can_upcast(&header.event_type, &header.event_version))
}

fn serialized(header: &EventHeader, payload: Value) -> SerializedEvent {
    SerializedEvent {
        aggregate_id: header.aggregate_id.to_string(),
        sequence: usize::try_from(header.sequence).unwrap_or_default(),
        aggregate_type: header.aggregate_type.as_str().to_owned(),
        event_type: header.event_type.clone(),
        event_version: header.event_version.clone(),
        payload,
        metadata: Value::Object(serde_json::Map::new()),
    }
}
