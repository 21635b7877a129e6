//! Pins what is stored forever: the wire name, version and JSON of every event.

mod stored;

use std::collections::BTreeSet;

use domain::aggregate::AggregateType;
use domain::event::AnyEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stored::names;
use stored::samples::{Sample, samples};

/// An event as it stands in a snapshot.
#[derive(Debug, Deserialize, Serialize)]
struct Stored {
    case: String,
    event_type: String,
    event_version: String,
    payload: Value,
}

impl From<&Sample> for Stored {
    fn from(sample: &Sample) -> Self {
        Self {
            case: sample.case.to_owned(),
            event_type: sample.event.event_type(),
            event_version: sample.version.clone(),
            payload: sample.payload.clone(),
        }
    }
}

fn encoded(kind: AggregateType) -> Vec<Stored> {
    samples().iter().filter(|sample| sample.kind == kind).map(Stored::from).collect()
}

/// What the snapshot file says, not what the code says now.
fn pinned(kind: AggregateType) -> Vec<Stored> {
    let path = format!("{}/tests/snapshots/stored_events__{kind}.snap", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (_, json) = text.trim_start_matches("---\n").split_once("\n---\n").expect("a header, then the snapshot");
    serde_json::from_str(json).expect("the snapshot is JSON")
}

#[test]
fn every_event_is_stored_as_ever() {
    for kind in AggregateType::ALL {
        insta::assert_json_snapshot!(kind.as_str(), encoded(kind));
    }
}

#[test]
fn every_pinned_event_reads_back_as_the_same_event() {
    for kind in AggregateType::ALL {
        let samples: Vec<_> = samples().into_iter().filter(|sample| sample.kind == kind).collect();
        let pinned = pinned(kind);
        assert_eq!(pinned.len(), samples.len(), "{kind}");
        for (pinned, sample) in pinned.into_iter().zip(samples) {
            let event = AnyEvent::decode(kind, pinned.payload).expect(&pinned.case);
            assert_eq!(event, sample.event, "{kind}: {}", pinned.case);
            assert_eq!(event.event_type(), pinned.event_type);
        }
    }
}

#[test]
fn no_event_is_missing_here() {
    for kind in AggregateType::ALL {
        let of_kind = || samples().into_iter().filter(move |sample| sample.kind == kind);
        let sampled: BTreeSet<_> = of_kind().map(|sample| names::name(&sample.event)).collect();
        let declared: BTreeSet<_> = names::all(kind).iter().copied().collect();
        assert_eq!(sampled, declared, "{kind}");
        for sample in of_kind() {
            assert_eq!(sample.event.event_type(), names::name(&sample.event));
            assert_eq!(sample.payload["type"], sample.event.event_type(), "the payload names itself");
        }
    }
}

#[test]
fn event_of_one_aggregate_is_none_of_another() {
    for sample in samples() {
        for kind in AggregateType::ALL.into_iter().filter(|kind| *kind != sample.kind) {
            let decoded = AnyEvent::decode(kind, sample.payload.clone());
            assert!(decoded.is_err(), "{} of {} was read as {decoded:?}", sample.case, sample.kind);
        }
    }
}

#[test]
fn unknown_fields_of_a_later_writer_do_not_hinder_reading() {
    for sample in samples() {
        let mut payload = sample.payload.clone();
        payload["addedLater"] = Value::Bool(true);
        assert_eq!(AnyEvent::decode(sample.kind, payload).expect(sample.case), sample.event);
    }
}

#[test]
fn names_of_aggregates_read_back() {
    for kind in AggregateType::ALL {
        assert_eq!(AggregateType::parse(kind.as_str()), Some(kind));
        assert_eq!(serde_json::to_value(kind).expect("a name"), kind.as_str());
    }
    assert_eq!(AggregateType::parse("Conversation"), None);
}
