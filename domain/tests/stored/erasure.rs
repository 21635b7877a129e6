//! What is left of stored events after an erasure is still an event, and says nothing of the person.

use domain::aggregate::AggregateType;
use domain::event::AnyEvent;
use domain::ids::VisitorId;
use domain::visitor::{ERASED, redacted};
use serde_json::{Value, json};
use uuid::Uuid;

use super::samples::{Sample, samples};

const VERA: VisitorId = VisitorId::new(Uuid::from_u128(0xB1));
const STRANGER: VisitorId = VisitorId::new(Uuid::from_u128(0xB2));

fn left(sample: &Sample, visitor_id: VisitorId) -> Option<Value> {
    redacted(visitor_id, sample.kind, &sample.event.event_type(), &sample.payload)
}

fn is_of_vera(sample: &Sample) -> bool {
    sample.payload["author"]["type"] == "visitor" || sample.payload["by"]["type"] == "visitor"
}

#[test]
fn what_is_left_reads_as_an_event_and_is_erased_once() {
    let mut names = vec![];
    for sample in samples() {
        let Some(left) = left(&sample, VERA) else { continue };
        names.push(sample.event.event_type());
        let event = AnyEvent::decode(sample.kind, left.clone()).expect(sample.case);
        assert_eq!(event.event_type(), sample.event.event_type());
        assert_eq!(redacted(VERA, sample.kind, &event.event_type(), &left), None, "{}", sample.case);
    }
    names.dedup();
    assert_eq!(
        names,
        ["ChatStarted", "ChatClosed", "VisitorCardChanged", "MessageSent", "VisitorRegistered", "VisitorReintroduced",]
    );
}

#[test]
fn nothing_that_a_person_has_said_is_left() {
    for sample in samples().iter().filter(|sample| is_of_vera(sample)) {
        let Some(left) = left(sample, VERA) else { continue };
        for field in ["notes", "metadata", "clientEventId"] {
            assert_eq!(left.get(field), None, "{}: {field}", sample.case);
        }
        for field in ["text", "reason"] {
            assert!(left.get(field).is_none_or(|text| text == ERASED), "{}: {field}", sample.case);
        }
    }
    for event_type in ["ChatStarted", "VisitorCardChanged"] {
        let card = json!({
            "type": event_type, "at": "2023-11-14T22:13:20.123456Z", "groupId": VERA, "threadId": VERA,
            "visitor": { "id": VERA, "name": "Vera", "addedLater": "Vera" }, "addedLater": "Vera",
        });
        let left = redacted(VERA, AggregateType::Conversation, event_type, &card).unwrap();
        assert!(!left.to_string().contains("Vera"), "{left}");
    }
}

#[test]
fn what_others_have_said_stays() {
    for sample in samples().iter().filter(|sample| sample.kind != AggregateType::Visitor) {
        assert_eq!(left(sample, STRANGER), None, "{}", sample.case);
        if !is_of_vera(sample) && !matches!(&*sample.event.event_type(), "ChatStarted" | "VisitorCardChanged") {
            assert_eq!(left(sample, VERA), None, "{}", sample.case);
        }
    }
}
