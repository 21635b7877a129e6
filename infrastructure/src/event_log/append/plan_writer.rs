//! What each database has its own form for: the transaction that appends a batch.

use application::ports::{Hash, LogHead, Position, Receipt};

use super::request::{Prepared, PreparedEvent};
use super::versions::Demand;
use crate::database::WholeTransaction;

/// An event with its place in the log.
pub(crate) struct PlacedEvent<'a> {
    pub(crate) event: &'a PreparedEvent,
    pub(crate) position: Position,
    pub(crate) recorded_us: i64,
    pub(crate) hash: Hash,
}

/// Writes the transaction, in the form of one database.
pub(crate) trait PlanWriter {
    fn event(&mut self, placed: &PlacedEvent<'_>);

    /// Makes a repeatable command known, and adds the other statements of its request.
    fn request(&mut self, request: &Prepared, receipt: &Receipt);

    /// Ends the transaction, which moves the head from `before` to `after` and fails unless the demands are met.
    fn finish(self, before: &LogHead, after: &LogHead, demands: &[Demand]) -> WholeTransaction;
}
