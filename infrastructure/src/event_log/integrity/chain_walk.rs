//! What an event and the proof that it is genuine consist of, and walking along the chain of them.

use std::collections::BTreeMap;

use application::ports::{EventHeader, Hash, Position};
use domain::aggregate::AggregateType;
use domain::time::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::chain::{FixedFields, GENESIS, chain_hash, payload_digest};
use crate::database::Row;
use crate::event_log::stored::{COLUMNS, DecodeError, StoredEvent};

/// The type of the events that vouch for payloads which were taken away.
const ERASURE: &str = "PersonalDataErased";

/// How long a salt is. With another length, bytes could move between it and the payload.
const SALT_LENGTH: usize = 16;

/// The columns with ids. Hashes are made of their canonical spelling, so they must be spelled so.
const IDS: [&str; 5] = ["aggregate_id", "event_id", "command_id", "causation_id", "correlation_id"];

/// What is wrong at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// There is no event.
    #[error("the event is missing")]
    Missing,
    /// A field holds what no event has.
    #[error("the event cannot be read")]
    Unreadable,
    /// The payload is not the one that was recorded.
    #[error("the payload was changed")]
    Payload,
    /// The salt of the payload is gone, but no recorded erasure took it away.
    #[error("the payload was taken away, and no erasure of it is recorded")]
    Unvouched,
    /// A field other than the payload, or the order of events, is not what was recorded.
    #[error("the event or its place was changed")]
    Chain,
    /// The event is dated before its predecessor.
    #[error("the time goes back")]
    Time,
    /// It is not one of the positions from 1 to the log's head.
    #[error("there is an event where none was appended")]
    Surplus,
    /// The log's head says something else about the end than the events do.
    #[error("the events do not end where the head says")]
    End,
}

/// The first position at which something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log is broken at position {position}: {damage}")]
pub struct Broken {
    /// Everything before this position is proved.
    pub position: Position,
    /// What is wrong.
    pub damage: Damage,
}

/// An event as it is kept, with everything that goes into its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Everything but the texts.
    pub header: EventHeader,
    /// The payload's JSON text, byte for byte.
    pub payload: String,
    /// The metadata's JSON text, byte for byte.
    pub metadata: String,
    /// What the payload's digest was made with; none when the payload was erased.
    pub salt: Option<Vec<u8>>,
    /// The digest of the payload as it was recorded.
    pub payload_digest: Hash,
}

impl Evidence {
    /// The columns that [`Self::from_row`] reads.
    pub(crate) fn columns() -> String {
        format!("{COLUMNS}, salt, payload_digest")
    }

    pub(crate) fn from_row(row: &Row) -> Result<Self, DecodeError> {
        for column in IDS {
            let (text, id) = (row.opt_text(column)?, row.opt_uuid(column)?);
            if text != id.map(|id| id.to_string()) {
                return Err(DecodeError::Spelling(column));
            }
        }
        let StoredEvent { header, payload } = StoredEvent::from_row(row)?;
        Ok(Self {
            header,
            payload,
            metadata: row.text("metadata")?,
            salt: row.opt_bytes("salt")?,
            payload_digest: row.hash("payload_digest")?,
        })
    }

    /// The hash that follows from the one before.
    fn hash_after(&self, previous: &Hash) -> Hash {
        let Self { header, metadata, payload_digest, .. } = self;
        let fixed = FixedFields::of(header, metadata);
        chain_hash(previous, header.position, &fixed, header.recorded_at.as_micros(), payload_digest)
    }
}

/// Goes along the events and computes every digest again.
#[derive(Clone, Debug)]
pub struct ChainWalk {
    position: Position,
    chain_hash: Hash,
    recorded_at: Timestamp,
    erased: u64,
    /// The digests of present payloads that no erasure has vouched for yet.
    unvouched: BTreeMap<Position, Hash>,
}

impl ChainWalk {
    /// Begins before the first event.
    #[must_use]
    pub const fn from_the_beginning() -> Self {
        Self::after(0, GENESIS)
    }

    /// Begins after a position at which the chain is known to have a hash.
    #[must_use]
    pub const fn after(position: Position, chain_hash: Hash) -> Self {
        let recorded_at = Timestamp::from_micros(i64::MIN);
        Self { position, chain_hash, recorded_at, erased: 0, unvouched: BTreeMap::new() }
    }

    /// The last position.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The chain hash after the last event that was taken in.
    #[must_use]
    pub const fn chain_hash(&self) -> Hash {
        self.chain_hash
    }

    /// When the last event was recorded.
    #[must_use]
    pub const fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }

    /// How many payloads were erased.
    #[must_use]
    pub const fn erased(&self) -> u64 {
        self.erased
    }

    /// The first erased payload for which no erasure has vouched yet.
    #[must_use]
    pub fn first_unvouched(&self) -> Option<Position> {
        self.unvouched.first_key_value().map(|(position, _)| *position)
    }

    /// Makes sure that it ends where the log was said to end: at this position, with this hash and time.
    ///
    /// # Errors
    /// When it does not.
    pub fn ensure_ends_at(&self, end: (Position, Hash, Timestamp)) -> Result<(), Broken> {
        let (position, chain_hash, recorded_at) = end;
        let same_time = position == 0 || self.recorded_at == recorded_at;
        if self.position == position && self.chain_hash == chain_hash && same_time {
            Ok(())
        } else {
            Err(Broken { position: self.position, damage: Damage::End })
        }
    }

    /// Makes sure that an erasure has vouched for each payload that is gone.
    ///
    /// # Errors
    /// Names the first for which none has.
    pub fn ensure_vouched(&self) -> Result<(), Broken> {
        match self.first_unvouched() {
            Some(position) => Err(Broken { position, damage: Damage::Unvouched }),
            None => Ok(()),
        }
    }

    /// Leaves events out, up to a position that claims a hash. What comes after can only be compared with this claim.
    pub fn skip_to(&mut self, position: Position, claimed: Hash) {
        self.position = position;
        self.chain_hash = claimed;
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// When it is not what was recorded at the next position.
    pub fn step(&mut self, event: &Evidence) -> Result<(), Broken> {
        let position = self.position + 1;
        let broken = |damage| Broken { position, damage };
        if event.header.position != position {
            return Err(broken(Damage::Missing));
        }
        match &event.salt {
            Some(salt) if salt.len() == SALT_LENGTH && payload_digest(salt, &event.payload) == event.payload_digest => {
            }
            Some(_) => return Err(broken(Damage::Payload)),
            None => {
                self.erased += 1;
                self.unvouched.insert(position, Sha256::digest(&event.payload).into());
            }
        }
        if event.hash_after(&self.chain_hash) != event.header.chain_hash {
            return Err(broken(Damage::Chain));
        }
        if event.header.recorded_at < self.recorded_at {
            return Err(broken(Damage::Time));
        }
        self.vouch(event);
        self.position = position;
        self.chain_hash = event.header.chain_hash;
        self.recorded_at = event.header.recorded_at;
        Ok(())
    }

    /// An erasure names each payload that it has left and its SHA-256.
    fn vouch(&mut self, event: &Evidence) {
        #[derive(Deserialize)]
        struct Erasure {
            payloads: Vec<Left>,
        }
        #[derive(Deserialize)]
        struct Left {
            position: Position,
            #[serde(with = "hex::serde")]
            digest: Hash,
        }
        let header = &event.header;
        if header.aggregate_type != AggregateType::Visitor || header.event_type != ERASURE || event.salt.is_none() {
            return;
        }
        let Ok(erasure) = serde_json::from_str::<Erasure>(&event.payload) else { return };
        for left in erasure.payloads {
            if self.unvouched.get(&left.position) == Some(&left.digest) {
                self.unvouched.remove(&left.position);
            }
        }
    }
}
