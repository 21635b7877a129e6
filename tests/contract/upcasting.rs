//! Events of earlier versions reach everybody in their newest form, on every way in which they are read.

use std::sync::OnceLock;

use application::ports::{EventLog, NewEvent};
use cqrs_es::persist::SemanticVersionEventUpcaster;
use domain::event::{AnyEvent, Upcasters, upcasters};
use domain::ids::{EntityId as _, TagId};
use domain::tag::{Tag, TagCommand, TagEvent};
use domain::time::Timestamp;
use harness::{TestDatabase, each_database};
use infrastructure::sql_args;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Node, request, stream, with_payload};
use crate::use_cases::{name, tell};

const AT: &str = "2023-11-14T22:13:20.000000Z";

/// As if in version 0.9 a tag's name had been called a label, and something else its name.
fn label_to_name() -> &'static Upcasters {
    static UPCASTERS: OnceLock<Upcasters> = OnceLock::new();
    UPCASTERS.get_or_init(|| {
        let rename = |mut payload: Value| {
            if let Some(label) = payload.as_object_mut().and_then(|fields| fields.remove("label")) {
                payload["name"] = label;
            }
            payload
        };
        vec![Box::new(SemanticVersionEventUpcaster::new("TagCreated", "1.0", Box::new(rename)))]
    })
}

fn of_version_0_9() -> NewEvent {
    old(&json!({"type": "TagCreated", "name": "tag-7", "label": "VIP", "at": AT}))
}

fn old(payload: &Value) -> NewEvent {
    NewEvent { event_type: "TagCreated".into(), event_version: "0.9".into(), ..with_payload(&payload.to_string()) }
}

fn created() -> AnyEvent {
    AnyEvent::Tag(TagEvent::TagCreated { name: name("VIP"), color: None, at: AT.parse().unwrap() })
}

/// Writes an event of the old version, and one of today after it.
async fn write(node: &Node, old: NewEvent) {
    let mut request = request(&[(stream(1), 0, 2)]);
    request.streams[0].events[0] = old;
    node.log.append(request).await.unwrap();
}

each_database!(old_event_is_read_in_its_newest_form_on_every_path);
async fn old_event_is_read_in_its_newest_form_on_every_path(database: TestDatabase) {
    let node = Node::upcasting(database.url(), label_to_name()).await;
    write(&node, of_version_0_9()).await;
    node.wait_until_known(2).await;
    let from_memory = node.log.read_after(0, 10).await.unwrap();
    let restarted = Node::upcasting(database.url(), label_to_name()).await;
    let from_database = restarted.log.read_after(0, 10).await.unwrap();
    for events in [from_memory, from_database] {
        assert_eq!(events.len(), 2);
        assert_eq!(events[0].event, created());
        assert_eq!(events[0].header.event_version, "0.9", "the header has what is stored");
    }
    let streamed = node.log.read_stream(stream(1), 0).await.unwrap();
    assert_eq!(streamed[0].payload, json!({"type": "TagCreated", "name": "VIP", "at": AT}));
    let id = TagId::from_uuid(Uuid::from_u128(1));
    let tag = node.bus().read::<Tag>(id).await.unwrap();
    assert_eq!((tag.name.clone(), tag.deleted), (Some(name("VIP")), true));
    // And commands are decided on it.
    let restored = tell::<Tag>(&node.bus(), id, TagCommand::Restore { at: Timestamp::from_micros(1) }).await;
    assert!(restored.unwrap().output);
    node.ends_at(3).await;
}

each_database!(stored_bytes_stay_as_they_were_written);
async fn stored_bytes_stay_as_they_were_written(database: TestDatabase) {
    let node = Node::upcasting(database.url(), label_to_name()).await;
    write(&node, of_version_0_9()).await;
    node.log.read_after(0, 10).await.unwrap();
    let rows = node.database.fetch_all("SELECT payload FROM events ORDER BY position", sql_args![]).await.unwrap();
    assert_eq!(rows[0].text("payload").unwrap(), of_version_0_9().payload);
    node.ends_at(2).await;
}

each_database!(old_event_without_an_upcaster_is_an_error_and_not_skipped);
async fn old_event_without_an_upcaster_is_an_error_and_not_skipped(database: TestDatabase) {
    let node = Node::upcasting(database.url(), upcasters()).await;
    write(&node, old(&json!({"type": "TagCreated", "label": "VIP", "at": AT}))).await;
    let error = node.log.read_after(0, 10).await.unwrap_err();
    assert!(matches!(error, application::ports::ReadError::Undecodable { position: 1, .. }), "{error:?}");
    node.bus().read::<Tag>(TagId::from_uuid(Uuid::from_u128(1))).await.expect_err("it cannot be loaded either");
    // Nobody else suffers.
    node.append(2, 0, 1).await;
    assert_eq!(node.log.read_after(2, 10).await.unwrap().len(), 1);
}
