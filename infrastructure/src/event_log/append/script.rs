//! The script that appends a batch to MySQL in one round trip.

use std::fmt::Write as _;

use application::ports::{LogHead, Receipt, StreamId, StreamVersion};

use super::plan_writer::{PlacedEvent, PlanWriter};
use super::request::Prepared;
use super::versions::Demand;
use crate::database::WholeTransaction;
use crate::event_log::stored::VALUE_COLUMNS;

#[derive(Default)]
pub(crate) struct ScriptWriter {
    rows: String,
    commands: String,
    statements: String,
}

impl PlanWriter for ScriptWriter {
    fn event(&mut self, placed: &PlacedEvent<'_>) {
        let comma = if self.rows.is_empty() { "" } else { "," };
        let PlacedEvent { event, position, recorded_us, hash } = placed;
        let hash = hex::encode(hash);
        let _ = write!(self.rows, "{comma}({},{position},{recorded_us},X'{hash}')", event.values.text);
    }

    fn request(&mut self, request: &Prepared, receipt: &Receipt) {
        if let Some(digest) = request.request_digest {
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
        self.statements.push_str(&request.more.text);
    }

    /// With any other head, or unmet demands, the position becomes negative, which a check forbids: the script stops there.
    fn finish(self, before: &LogHead, after: &LogHead, demands: &[Demand]) -> WholeTransaction {
        let mut body = String::with_capacity(self.rows.len() + self.commands.len() + 1024);
        let _ = write!(
            body,
            "UPDATE log_head SET position = CASE WHEN position = {} AND chain_hash = X'{}' AND epoch = '{}'{} \
             THEN {} ELSE -1 END, chain_hash = X'{}', recorded_us = {} WHERE id = 1; \
             INSERT INTO events ({VALUE_COLUMNS}, position, recorded_us, chain_hash) VALUES {}; ",
            before.position,
            hex::encode(before.chain_hash),
            before.epoch,
            conditions(demands),
            after.position,
            hex::encode(after.chain_hash),
            after.recorded_at.as_micros(),
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
        WholeTransaction::Script(body)
    }
}

/// The demands, to follow other conditions.
fn conditions(demands: &[Demand]) -> String {
    demands.iter().map(|demand| format!(" AND {}", condition(demand))).collect()
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
