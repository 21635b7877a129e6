//! Walks the log and looks whether what must be true of it is true at every position.

use domain::invariants::{Invariants, Recorded, Violation};

use crate::ports::{EventLog, LogEvent, Position, ReadError};

/// How many events are read at once.
const PAGE: usize = 1_000;

impl LogEvent {
    /// The event as the verifier takes it.
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

/// Who follows a walk through the log.
pub trait Inspection {
    /// Everything up to this position has been looked at.
    fn reached(&mut self, position: Position);

    /// Something is there that must never be.
    fn found(&mut self, violation: Violation);
}

/// Walks through all events that are committed, from the first, a page at a time; tells how things stand at the end.
///
/// # Errors
/// When the log cannot be read.
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
