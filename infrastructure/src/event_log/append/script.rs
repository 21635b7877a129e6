//! The script that appends a batch in one round trip.

use std::fmt::Write as _;

use application::ports::{Hash, LogHead, Position, Receipt, StreamId, StreamVersion};
use domain::ids::EventId;
use domain::time::Timestamp;

use super::request::Prepared;
use super::versions::Demand;
use crate::event_log::chain::chain_hash;

/// The columns of an event, in the order in which a row's values are written.
const COLUMNS: &str = "position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, \
                       event_id, command_id, causation_id, correlation_id, actor, salt, payload_digest, recorded_us, \
                       chain_hash";

/// What a batch becomes when it is appended at a certain head.
pub(crate) struct Plan {
    /// From the first statement after `BEGIN` to the `COMMIT`.
    pub(crate) body: String,
    /// The head afterwards.
    pub(crate) after: LogHead,
    /// One for each request.
    pub(crate) receipts: Vec<Receipt>,
    /// One for each event.
    pub(crate) hashes: Vec<Hash>,
    /// Where its first event goes, and which one that is.
    pub(crate) first: (Position, EventId),
}

impl Plan {
    /// Plans the requests, in their order, to follow `head`. There must be at least one.
    pub(crate) fn new<'a>(
        head: &LogHead,
        now: Timestamp,
        requests: impl Iterator<Item = &'a Prepared>,
        demands: &[Demand],
    ) -> Self {
        let mut writer = Writer::new(head, now);
        for request in requests {
            writer.request(request);
        }
        writer.finish(head, demands)
    }
}

struct Writer {
    after: LogHead,
    rows: String,
    commands: String,
    statements: String,
    receipts: Vec<Receipt>,
    hashes: Vec<Hash>,
    first_event: EventId,
}

impl Writer {
    fn new(head: &LogHead, now: Timestamp) -> Self {
        Self {
            // The log's time never goes back, whatever this machine's clock does.
            after: LogHead { recorded_at: now.max(head.recorded_at), ..*head },
            rows: String::new(),
            commands: String::new(),
            statements: String::new(),
            receipts: Vec::new(),
            hashes: Vec::new(),
            first_event: EventId::default(),
        }
    }

    fn request(&mut self, request: &Prepared) {
        let first_position = self.after.position + 1;
        let recorded_us = self.after.recorded_at.as_micros();
        if let (true, Some(first)) = (self.hashes.is_empty(), request.events.first()) {
            self.first_event = first.header.event_id;
        }
        for event in &request.events {
            let position = self.after.position + 1;
            let hash = chain_hash(&self.after.chain_hash, position, &event.fixed, recorded_us, &event.digest);
            let comma = if self.rows.is_empty() { "" } else { "," };
            let _ = write!(self.rows, "{comma}({position},{},{recorded_us},X'{}')", event.values, hex::encode(hash));
            self.after.position = position;
            self.after.chain_hash = hash;
            self.hashes.push(hash);
        }
        let receipt =
            Receipt { first_position, last_position: self.after.position, recorded_at: self.after.recorded_at };
        self.command(request, &receipt);
        self.statements.push_str(&request.statements);
        self.receipts.push(receipt);
    }

    fn command(&mut self, request: &Prepared, receipt: &Receipt) {
        let Some(digest) = request.request_digest else { return };
        let comma = if self.commands.is_empty() { "" } else { "," };
        let _ = write!(
            self.commands,
            "{comma}('{}',X'{}',{},{},{})",
            request.command_id,
            hex::encode(digest),
            receipt.first_position,
            receipt.last_position,
            receipt.recorded_at.as_micros()
        );
    }

    fn finish(self, head: &LogHead, demands: &[Demand]) -> Plan {
        let mut body = String::with_capacity(self.rows.len() + self.commands.len() + 1024);
        // With any other head, or a stream that is not as it must be, the position becomes negative, which a check
        // forbids: the script ends here.
        let _ = write!(
            body,
            "UPDATE log_head SET position = CASE WHEN position = {} AND chain_hash = X'{}' AND epoch = '{}'{} \
             THEN {} ELSE -1 END, chain_hash = X'{}', recorded_us = {} WHERE id = 1; \
             INSERT INTO events ({COLUMNS}) VALUES {}; ",
            head.position,
            hex::encode(head.chain_hash),
            head.epoch,
            conditions(demands),
            self.after.position,
            hex::encode(self.after.chain_hash),
            self.after.recorded_at.as_micros(),
            self.rows
        );
        if !self.commands.is_empty() {
            let _ = write!(
                body,
                "INSERT INTO command_log (command_id, request_digest, first_position, last_position, recorded_us) \
                 VALUES {}; ",
                self.commands
            );
        }
        body.push_str(&self.statements);
        body.push_str("COMMIT");
        let first = (head.position + 1, self.first_event);
        Plan { body, after: self.after, receipts: self.receipts, hashes: self.hashes, first }
    }
}

/// What the streams must be like, to follow other conditions.
fn conditions(demands: &[Demand]) -> String {
    if demands.is_empty() { String::new() } else { format!(" AND {}", all_of(demands)) }
}

/// Nested by halves: SQLite bounds the depth of an expression.
fn all_of(demands: &[Demand]) -> String {
    match demands {
        [] => "TRUE".to_owned(),
        [only] => condition(only),
        _ => {
            let (first, second) = demands.split_at(demands.len() / 2);
            format!("({} AND {})", all_of(first), all_of(second))
        }
    }
}

fn condition(demand: &Demand) -> String {
    let has = |stream: &StreamId, sequence| {
        let StreamId { kind, id } = stream;
        format!(
            "EXISTS (SELECT 1 FROM events WHERE aggregate_type = '{kind}' AND aggregate_id = '{id}' AND sequence = {sequence})"
        )
    };
    match demand {
        Demand::Reached(StreamVersion { stream, version }) => has(stream, *version),
        Demand::Stands(StreamVersion { stream, version: 0 }) => format!("NOT {}", has(stream, 1)),
        Demand::Stands(StreamVersion { stream, version }) => {
            format!("({} AND NOT {})", has(stream, *version), has(stream, version + 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use application::ports::Repeatable;
    use uuid::Uuid;

    use super::*;
    use crate::database::Dialect;
    use crate::event_log::chain::GENESIS;
    use crate::event_log::testing::{append, stream};

    fn head(position: Position) -> LogHead {
        LogHead { position, chain_hash: GENESIS, recorded_at: Timestamp::from_micros(50), epoch: Uuid::nil() }
    }

    fn prepared(id: u128, repeatable: bool) -> Prepared {
        let mut request = append(&[(stream(id), 0, 2)]);
        request.repeatable = repeatable.then_some(Repeatable { request_digest: [1; 32] });
        Prepared::new(request, Dialect::Mysql).unwrap()
    }

    #[test]
    fn positions_and_receipts_follow_the_head() {
        let requests = [prepared(1, false), prepared(2, false)];
        let plan = Plan::new(&head(10), Timestamp::from_micros(60), requests.iter(), &[]);
        let positions: Vec<_> = plan.receipts.iter().map(|r| (r.first_position, r.last_position)).collect();
        assert_eq!(positions, [(11, 12), (13, 14)]);
        assert_eq!(plan.after.position, 14);
        assert_eq!(plan.after.chain_hash, plan.hashes[3]);
        assert_eq!(plan.first, (11, requests[0].events[0].header.event_id));
    }

    #[test]
    fn time_never_goes_back() {
        let plan = Plan::new(&head(0), Timestamp::from_micros(40), [prepared(1, false)].iter(), &[]);
        assert_eq!(plan.after.recorded_at, Timestamp::from_micros(50));
    }

    #[test]
    fn only_repeatable_commands_are_remembered() {
        let now = Timestamp::from_micros(60);
        assert!(!Plan::new(&head(0), now, [prepared(1, false)].iter(), &[]).body.contains("command_log"));
        let plan = Plan::new(&head(0), now, [prepared(1, false), prepared(2, true)].iter(), &[]);
        assert_eq!(plan.body.matches("command_log").count(), 1);
        assert!(plan.body.contains(",3,4,60)"), "{}", plan.body);
        assert!(plan.body.ends_with("; COMMIT"));
    }
}
