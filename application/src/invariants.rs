//! Walks the log and checks the domain's invariants at every position.

use domain::invariants::{Invariants, Recorded, Violation};

use crate::ports::{EventLog, LogEvent, Position, ReadError};

/// Events per read.
const PAGE: usize = 1_000;

impl LogEvent {
    /// The event in the form of the domain's verifier.
    #[must_use]
    pub const fn recorded(&self) -> Recorded<'_> {
        let header = &self.header;
        Recorded {
            position: header.position,
            kind: header.aggregate_type,
            id: header.aggregate_id,
            sequence: header.sequence,
            command_id: header.command_id,
            recorded_at: header.recorded_at,
            event: &self.event,
        }
    }
}

/// Receives the progress and the findings of a walk through the log.
pub trait Inspection {
    /// Everything up to this position was checked.
    fn reached(&mut self, position: Position);

    /// A rule is broken.
    fn found(&mut self, violation: Violation);
}

/// Checks all committed events from the first on, page by page. Returns the state after the last event.
///
/// # Errors
/// If the log cannot be read.
pub async fn inspect(log: &dyn EventLog, inspection: &mut dyn Inspection) -> Result<Invariants, ReadError> {
    let mut invariants = Invariants::default();
    loop {
        let page = log.read_after(invariants.position(), PAGE).await?;
        if page.is_empty() {
            break;
        }
        for event in page {
            invariants.enter(&event.recorded()).into_iter().for_each(|violation| inspection.found(violation));
        }
        inspection.reached(invariants.position());
    }
    invariants.finish().into_iter().for_each(|violation| inspection.found(violation));
    Ok(invariants)
}
