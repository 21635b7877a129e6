//! States that are kept alongside the log, so that long streams need not be read from their beginning.

use std::sync::Arc;

use domain::aggregate::Root;

use crate::UseCaseError;
use crate::ports::{EventLog, Sequence, StreamId, VersionedState};

/// A state to save alongside the log.
pub(super) struct Snapshot {
    fingerprint: &'static str,
    kept: VersionedState,
}

impl Snapshot {
    pub(super) fn of<A: Root>(version: Sequence, state: &A) -> Result<Self, UseCaseError> {
        let kept = VersionedState { version, state: serde_json::to_value(state)? };
        Ok(Self { fingerprint: A::FINGERPRINT, kept })
    }

    /// Saves outside the append and without waiting: the log never depends on a snapshot.
    pub(super) fn save(self, log: &Arc<dyn EventLog>, stream: StreamId) {
        let log = Arc::clone(log);
        tokio::spawn(async move {
            if let Err(error) = log.save_snapshot(stream, self.fingerprint, self.kept).await {
                tracing::warn!(%stream, error = &error as &dyn std::error::Error, "snapshot was not saved");
            }
        });
    }
}

/// The state of a snapshot, if it has just the fields of today. A field that was added, renamed or removed would otherwise be
/// filled with nothing, and the state would be one that no event has made.
pub(super) fn read<A: Root>(kept: VersionedState) -> Option<(Sequence, A)> {
    let state: A = serde_json::from_value(kept.state.clone()).ok()?;
    let is_whole = serde_json::to_value(&state).is_ok_and(|again| again == kept.state);
    is_whole.then_some((kept.version, state))
}

#[cfg(test)]
mod tests {
    use domain::agent::{Agent, EmailClaim};
    use domain::conversation::Conversation;
    use domain::group::Group;
    use domain::tag::{Tag, TagNameClaim};
    use domain::thread::Thread;
    use domain::visitor::Visitor;
    use domain::workspace::Workspace;
    use serde_json::{Map, Value};

    use super::*;

    fn is_used<A: Root>(fields: &Map<String, Value>) -> bool {
        read::<A>(VersionedState { version: 7, state: Value::Object(fields.clone()) }).is_some()
    }

    /// Changes each field of a state in each way.
    fn has_just_its_fields<A: Root + Default>() {
        let Value::Object(fields) = serde_json::to_value(A::default()).unwrap() else { panic!("states are objects") };
        assert!(is_used::<A>(&fields), "{}", A::FINGERPRINT);
        assert!(!fields.is_empty());
        for (name, value) in &fields {
            let mut changed = fields.clone();
            changed.remove(name);
            assert!(!is_used::<A>(&changed), "{} without {name}", A::FINGERPRINT);
            changed.insert(format!("{name}_of_old"), value.clone());
            assert!(!is_used::<A>(&changed), "{} with another name for {name}", A::FINGERPRINT);
            changed.insert(name.clone(), value.clone());
            assert!(!is_used::<A>(&changed), "{} with {name} and one more", A::FINGERPRINT);
        }
    }

    #[test]
    fn snapshot_with_other_fields_is_not_used_for_any_aggregate() {
        has_just_its_fields::<Agent>();
        has_just_its_fields::<Conversation>();
        has_just_its_fields::<EmailClaim>();
        has_just_its_fields::<Group>();
        has_just_its_fields::<Tag>();
        has_just_its_fields::<TagNameClaim>();
        has_just_its_fields::<Thread>();
        has_just_its_fields::<Visitor>();
        has_just_its_fields::<Workspace>();
    }
}
