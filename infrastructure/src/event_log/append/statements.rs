//! The statements that append a batch to SQLite.

use std::sync::Arc;

use application::ports::{LogHead, Receipt, StreamId, StreamVersion};

use super::plan_writer::{PlacedEvent, PlanWriter};
use super::request::Prepared;
use super::versions::Demand;
use crate::database::{Statement, WholeTransaction};
use crate::sql_args;

/// Fails unless the log still ends where the plan begins.
const MOVE_HEAD: &str = "UPDATE log_head SET position = ?, chain_hash = ?, recorded_us = ? \
                         WHERE id = 1 AND position = ? AND chain_hash = ? AND epoch = ?";

const HAS_EVENT: &str = "SELECT 1 FROM events WHERE aggregate_type = ? AND aggregate_id = ? AND sequence = ?";

/// The columns of [`VALUE_COLUMNS`](crate::event_log::stored::VALUE_COLUMNS), and those of the place.
const INSERT_EVENT: &str = "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, \
     event_id, command_id, causation_id, correlation_id, actor, salt, payload_digest, position, recorded_us, chain_hash) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const INSERT_COMMAND: &str = "INSERT INTO command_log (command_id, request_digest, first_position, last_position, \
                              recorded_us) VALUES (?, ?, ?, ?, ?)";

#[derive(Default)]
pub(crate) struct StatementWriter {
    events: Vec<Statement>,
    others: Vec<Statement>,
}

impl PlanWriter for StatementWriter {
    fn event(&mut self, placed: &PlacedEvent<'_>) {
        let PlacedEvent { event, position, recorded_us, hash } = placed;
        let place = sql_args![*position, *recorded_us, *hash];
        self.events.push(Statement::sharing(INSERT_EVENT, Arc::clone(&event.values.bound), place));
    }

    fn request(&mut self, request: &Prepared, receipt: &Receipt) {
        if let Some(digest) = request.request_digest {
            let Receipt { first_position, last_position, recorded_at } = receipt;
            let args = sql_args![request.command_id.to_string(), digest, *first_position, *last_position, *recorded_at];
            self.others.push(Statement::constant(INSERT_COMMAND, args));
        }
        self.others.extend(request.more.statements.iter().cloned());
    }

    fn finish(self, before: &LogHead, after: &LogHead, demands: &[Demand]) -> WholeTransaction {
        let args = sql_args![
            after.position,
            after.chain_hash,
            after.recorded_at,
            before.position,
            before.chain_hash,
            before.epoch
        ];
        let mut all = Vec::with_capacity(1 + 2 * demands.len() + self.events.len() + self.others.len());
        all.push(Statement::constant(MOVE_HEAD, args).expecting(1));
        demands.iter().for_each(|demand| add_demand(&mut all, demand));
        all.extend(self.events);
        all.extend(self.others);
        WholeTransaction::Statements(Arc::new(all))
    }
}

fn add_demand(statements: &mut Vec<Statement>, demand: &Demand) {
    let has = |StreamId { kind, id }: &StreamId, sequence: i64| {
        Statement::constant(HAS_EVENT, sql_args![kind.as_str(), *id, sequence])
    };
    match demand {
        Demand::Reached(StreamVersion { stream, version }) => statements.push(has(stream, *version).expecting(1)),
        Demand::Stands(StreamVersion { stream, version }) => {
            if *version > 0 {
                statements.push(has(stream, *version).expecting(1));
            }
            statements.push(has(stream, version + 1).expecting(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_log::stored::VALUE_COLUMNS;

    #[test]
    fn values_go_into_the_columns_that_they_are_made_for() {
        assert!(INSERT_EVENT.contains(&format!("({VALUE_COLUMNS}, position, recorded_us, chain_hash)")));
        assert_eq!(INSERT_EVENT.matches('?').count(), INSERT_EVENT.matches(',').count() / 2 + 1);
    }
}
