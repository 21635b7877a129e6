//! Events of earlier versions are brought to the newest one.

use cqrs_es::persist::{EventUpcaster, SemanticVersionEventUpcaster, SerializedEvent};
use domain::aggregate::AggregateType;
use domain::event::{AnyEvent, Upcasters, upcast, upcasters};
use domain::ids::{AgentId, EntityId};
use domain::tag::TagEvent;
use domain::text::Name;
use domain::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::samples::samples;

fn event(event_type: &str, event_version: &str, payload: Value) -> SerializedEvent {
    SerializedEvent::new(
        AgentId::from_uuid(Uuid::nil()).to_string(),
        7,
        "tag".to_owned(),
        event_type.to_owned(),
        event_version.to_owned(),
        payload,
        json!({"actor": "anna"}),
    )
}

/// Imagine that a tag's name was called a label in version 0.9, and its time a number of seconds in 0.8.
fn imaginary() -> Upcasters {
    let seconds_to_text = |mut payload: Value| {
        let seconds = payload["at"].as_i64().expect("0.8 wrote seconds");
        payload["at"] = json!(Timestamp::from_micros(seconds * 1_000_000).to_string());
        payload
    };
    let label_to_name = |mut payload: Value| {
        if let Some(label) = payload.as_object_mut().and_then(|fields| fields.remove("label")) {
            payload["name"] = label;
        }
        payload
    };
    let first: Box<dyn EventUpcaster> =
        Box::new(SemanticVersionEventUpcaster::new("TagCreated", "0.9", Box::new(seconds_to_text)));
    let second = Box::new(SemanticVersionEventUpcaster::new("TagCreated", "1.0", Box::new(label_to_name)));
    vec![first, second]
}

fn created() -> TagEvent {
    let at = Timestamp::from_micros(1_700_000_000_000_000);
    TagEvent::TagCreated { name: Name::parse("VIP").expect("a fine name"), color: None, at }
}

#[test]
fn event_of_version_0_9_reads_as_one_of_version_1_0() {
    let payload = json!({"type": "TagCreated", "label": "VIP", "at": "2023-11-14T22:13:20.000000Z"});
    assert!(AnyEvent::decode(AggregateType::Tag, payload.clone()).is_err(), "not without the upcaster");
    let newest = upcast(event("TagCreated", "0.9", payload), &imaginary());
    assert_eq!(newest.event_version, "1.0.0");
    let decoded = AnyEvent::decode(AggregateType::Tag, newest.payload).expect("the newest version");
    assert_eq!(decoded, AnyEvent::Tag(created()));
}

#[test]
fn upcasters_run_one_after_the_other() {
    let payload = json!({"type": "TagCreated", "label": "VIP", "at": 1_700_000_000});
    let newest = upcast(event("TagCreated", "0.8", payload), &imaginary());
    let decoded = AnyEvent::decode(AggregateType::Tag, newest.payload).expect("the newest version");
    assert_eq!(decoded, AnyEvent::Tag(created()));
}

#[test]
fn upcasting_changes_nothing_but_payload_and_version() {
    let payload = json!({"type": "TagCreated", "label": "VIP", "at": "2023-11-14T22:13:20.000000Z"});
    let old = event("TagCreated", "0.9", payload);
    let newest = upcast(old.clone(), &imaginary());
    let payload = json!({"type": "TagCreated", "name": "VIP", "at": "2023-11-14T22:13:20.000000Z"});
    assert_eq!(newest, SerializedEvent { payload, event_version: "1.0.0".to_owned(), ..old });
}

#[test]
fn newest_versions_and_other_events_stay_as_they_are() {
    // The first has a field that only an upcaster would touch.
    for (event_type, version) in [("TagCreated", "1.0"), ("TagCreated", "1.0.0"), ("TagRestyled", "0.9")] {
        let event = event(event_type, version, json!({"label": "VIP", "at": 1}));
        assert_eq!(upcast(event.clone(), &imaginary()), event);
    }
}

#[test]
fn every_event_of_today_is_at_its_newest_version() {
    for sample in samples() {
        let event = event(&sample.event.event_type(), &sample.version, sample.payload);
        assert_eq!(upcast(event.clone(), upcasters()), event);
    }
}
