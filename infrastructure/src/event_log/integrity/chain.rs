//! The hash chain that makes the log tamper-evident.
//!
//! With `H` = SHA-256, `‖` = concatenation and `field(x)` = the length of the text `x` in bytes as a 32-bit big-endian
//! number, followed by its UTF-8 bytes:
//!
//! ```text
//! payload_digest = H(salt ‖ payload)
//! chain_hash     = H(previous chain_hash
//!                    ‖ field(position) ‖ field(aggregate_type) ‖ field(aggregate_id) ‖ field(sequence)
//!                    ‖ field(event_type) ‖ field(event_version) ‖ field(metadata)
//!                    ‖ field(event_id) ‖ field(command_id) ‖ field(causation_id) ‖ field(correlation_id)
//!                    ‖ field(actor) ‖ field(recorded_us)
//!                    ‖ payload_digest)
//! ```
//!
//! Numbers are written in decimal, ids as lower-case hyphenated UUIDs, a missing causation id as the empty text. The
//! hash before the first event is 32 zero bytes. An erased payload has lost its salt; its digest stays, and so does the
//! chain.

use application::ports::{EventHeader, Hash};
use sha2::{Digest, Sha256};

/// The hash before the first event.
pub const GENESIS: Hash = [0; 32];

/// The fields of an event that are known before it has a position: from `aggregate_type` to `actor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedFields(Vec<u8>);

impl FixedFields {
    /// Takes them from a header, whose position, time and hash do not matter here.
    #[must_use]
    pub fn of(header: &EventHeader, metadata: &str) -> Self {
        let causation = header.causation_id.map_or_else(String::new, |id| id.to_string());
        let mut bytes = Vec::with_capacity(384);
        put(&mut bytes, header.aggregate_type.as_str());
        put(&mut bytes, &header.aggregate_id.to_string());
        put(&mut bytes, &header.sequence.to_string());
        put(&mut bytes, &header.event_type);
        put(&mut bytes, &header.event_version);
        put(&mut bytes, metadata);
        put(&mut bytes, &header.event_id.to_string());
        put(&mut bytes, &header.command_id.to_string());
        put(&mut bytes, &causation);
        put(&mut bytes, &header.correlation_id.to_string());
        put(&mut bytes, &header.actor);
        Self(bytes)
    }
}

/// The digest of a payload with its salt.
#[must_use]
pub fn payload_digest(salt: &[u8], payload: &str) -> Hash {
    Sha256::new().chain_update(salt).chain_update(payload).finalize().into()
}

/// The chain's hash up to and with an event.
#[must_use]
pub fn chain_hash(
    previous: &Hash,
    position: i64,
    fixed: &FixedFields,
    recorded_us: i64,
    payload_digest: &Hash,
) -> Hash {
    let mut numbers = Vec::with_capacity(48);
    put(&mut numbers, &position.to_string());
    let end_of_position = numbers.len();
    put(&mut numbers, &recorded_us.to_string());
    let (position, recorded_us) = numbers.split_at(end_of_position);
    let hash = Sha256::new().chain_update(previous).chain_update(position).chain_update(&fixed.0);
    hash.chain_update(recorded_us).chain_update(payload_digest).finalize().into()
}

fn put(bytes: &mut Vec<u8>, text: &str) {
    // A field longer than 4 GiB cannot be stored by either database.
    bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use domain::aggregate::AggregateType;
    use domain::ids::{CommandId, EventId};
    use domain::time::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn header() -> EventHeader {
        EventHeader {
            position: 7,
            aggregate_type: AggregateType::Thread,
            aggregate_id: Uuid::from_u128(1),
            sequence: 3,
            event_id: EventId::new(Uuid::from_u128(2)),
            event_type: "MessagePosted".into(),
            event_version: "1.0".into(),
            command_id: CommandId::new(Uuid::from_u128(3)),
            causation_id: None,
            correlation_id: Uuid::from_u128(4),
            actor: "visitor:ü".into(),
            recorded_at: Timestamp::from_micros(1_700_000_000_000_000),
            chain_hash: [0; 32],
        }
    }

    fn hash(header: &EventHeader) -> Hash {
        let digest = payload_digest(b"0123456789abcdef", r#"{"text":"Grüße"}"#);
        let fixed = FixedFields::of(header, "{}");
        chain_hash(&[9; 32], header.position, &fixed, header.recorded_at.as_micros(), &digest)
    }

    // The expected digests were computed by a separate program from the formula above.
    #[test]
    fn known_answer() {
        let digest = payload_digest(b"0123456789abcdef", r#"{"text":"Grüße"}"#);
        assert_eq!(hex::encode(digest), "ffedad19b0ed25ceab4dddb5876020dc7b925a5ab88a02a80fbdf71b115bc532");
        assert_eq!(hex::encode(hash(&header())), "817c2062f9c29ec21e05e6f6038cc6350e92e486f2deba844780d3a2b78f3f8d");
    }

    #[test]
    fn every_field_matters() {
        let changes: [fn(&mut EventHeader); 12] = [
            |header| header.position += 1,
            |header| header.aggregate_type = AggregateType::Agent,
            |header| header.aggregate_id = Uuid::nil(),
            |header| header.sequence += 1,
            |header| header.event_type.push('x'),
            |header| header.event_version.push('x'),
            |header| header.event_id = EventId::new(Uuid::nil()),
            |header| header.command_id = CommandId::new(Uuid::nil()),
            |header| header.causation_id = Some(EventId::new(Uuid::nil())),
            |header| header.correlation_id = Uuid::nil(),
            |header| header.actor.push('x'),
            |header| header.recorded_at = Timestamp::from_micros(0),
        ];
        let untouched = hash(&header());
        for change in changes {
            let mut changed = header();
            change(&mut changed);
            assert_ne!(hash(&changed), untouched, "{changed:?}");
        }
    }

    #[test]
    fn text_cannot_move_from_one_field_to_the_next() {
        let mut moved = header();
        moved.event_type = "MessagePosted1".into();
        moved.event_version = ".0".into();
        assert_ne!(hash(&moved), hash(&header()));
    }
}
