//! What a batch becomes when it is appended at a certain head of the log.

use application::ports::{Hash, LogHead, Position, Receipt};
use domain::ids::EventId;
use domain::time::Timestamp;

use super::plan_writer::{PlacedEvent, PlanWriter};
use super::request::Prepared;
use super::script::ScriptWriter;
use super::statements::StatementWriter;
use super::versions::Demand;
use crate::database::{Dialect, WholeTransaction};
use crate::event_log::chain::chain_hash;

/// The transaction of a batch, and its results.
pub(crate) struct Plan {
    pub(crate) body: WholeTransaction,
    /// The head afterwards.
    pub(crate) after: LogHead,
    /// One for each request.
    pub(crate) receipts: Vec<Receipt>,
    /// One for each event.
    pub(crate) hashes: Vec<Hash>,
    /// By these two, a look at the log shows whether a commit without an answer has happened.
    pub(crate) first: (Position, EventId),
}

impl Plan {
    /// Plans the requests, in their order, to follow `head`. There must be at least one.
    pub(crate) fn new<'a>(
        dialect: Dialect,
        (head, now): (&LogHead, Timestamp),
        requests: impl Iterator<Item = &'a Prepared>,
        demands: &[Demand],
    ) -> Self {
        let planner = Planner::new(head, now);
        match dialect {
            Dialect::Mysql => planner.plan(ScriptWriter::default(), requests, demands),
            Dialect::Sqlite => planner.plan(StatementWriter::default(), requests, demands),
        }
    }
}

struct Planner {
    before: LogHead,
    after: LogHead,
    receipts: Vec<Receipt>,
    hashes: Vec<Hash>,
    first_event: Option<EventId>,
}

impl Planner {
    fn new(head: &LogHead, now: Timestamp) -> Self {
        // The time of the log never goes back, whatever the clock of this machine does.
        let after = LogHead { recorded_at: now.max(head.recorded_at), ..*head };
        Self { before: *head, after, receipts: vec![], hashes: vec![], first_event: None }
    }

    fn plan<'a>(
        mut self,
        mut writer: impl PlanWriter,
        requests: impl Iterator<Item = &'a Prepared>,
        demands: &[Demand],
    ) -> Plan {
        for request in requests {
            self.place(request, &mut writer);
        }
        let body = writer.finish(&self.before, &self.after, demands);
        let first = (self.before.position + 1, self.first_event.unwrap_or_default());
        Plan { body, after: self.after, receipts: self.receipts, hashes: self.hashes, first }
    }

    fn place(&mut self, request: &Prepared, writer: &mut impl PlanWriter) {
        let first_position = self.after.position + 1;
        let recorded_us = self.after.recorded_at.as_micros();
        for event in &request.events {
            let position = self.after.position + 1;
            let hash = chain_hash(&self.after.chain_hash, position, &event.fixed, recorded_us, &event.digest);
            writer.event(&PlacedEvent { event, position, recorded_us, hash });
            self.first_event.get_or_insert(event.header.event_id);
            self.after.position = position;
            self.after.chain_hash = hash;
            self.hashes.push(hash);
        }
        let (last_position, recorded_at) = (self.after.position, self.after.recorded_at);
        let receipt = Receipt { first_position, last_position, recorded_at };
        writer.request(request, &receipt);
        self.receipts.push(receipt);
    }
}

#[cfg(test)]
mod tests {
    use application::ports::Repeatable;
    use uuid::Uuid;

    use super::*;
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
        let plan = Plan::new(Dialect::Mysql, (&head(10), Timestamp::from_micros(60)), requests.iter(), &[]);
        let positions: Vec<_> = plan.receipts.iter().map(|r| (r.first_position, r.last_position)).collect();
        assert_eq!(positions, [(11, 12), (13, 14)]);
        assert_eq!(plan.after.position, 14);
        assert_eq!(plan.after.chain_hash, plan.hashes[3]);
        assert_eq!(plan.first, (11, requests[0].events[0].header.event_id));
    }

    #[test]
    fn time_never_goes_back() {
        let plan = Plan::new(Dialect::Mysql, (&head(0), Timestamp::from_micros(40)), [prepared(1, false)].iter(), &[]);
        assert_eq!(plan.after.recorded_at, Timestamp::from_micros(50));
    }

    #[test]
    fn only_repeatable_commands_are_remembered() {
        let now = Timestamp::from_micros(60);
        let script = |requests: &[Prepared]| match Plan::new(Dialect::Mysql, (&head(0), now), requests.iter(), &[]).body
        {
            WholeTransaction::Script(script) => script,
            WholeTransaction::Statements(_) => panic!("MySQL takes a script"),
        };
        assert!(!script(&[prepared(1, false)]).contains("command_log"));
        let script = script(&[prepared(1, false), prepared(2, true)]);
        assert_eq!(script.matches("command_log").count(), 1);
        assert!(script.contains(",3,4,60)"), "{script}");
        assert!(script.ends_with("; COMMIT"));
    }
}
