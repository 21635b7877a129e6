//! Snapshots make loading faster, and change nothing else.

use std::collections::BTreeSet;

use application::ports::{EventLog, NewEvent, StreamId, VersionedState};
use cqrs_es::{Aggregate as _, DomainEvent as _};
use domain::aggregate::Root as _;
use domain::group::{Group, GroupCommand, GroupEvent};
use domain::ids::{AgentId, EntityId as _, GroupId};
use domain::routing::RoutingStrategy;
use domain::text::Note;
use domain::time::Timestamp;
use harness::{DEADLINE, TestDatabase, each_database, eventually};
use infrastructure::sql_args;
use serde_json::Value;
use uuid::Uuid;

use crate::support::{Node, of_streams, with_payload};
use crate::use_cases::{name, tell};

/// Enough that a snapshot is taken when the stream is loaded.
const EVENTS: i64 = 500;

fn group_id() -> GroupId {
    GroupId::from_uuid(Uuid::from_u128(1))
}

fn group() -> StreamId {
    StreamId::of::<Group>(group_id())
}

/// The event at a place in the stream of a group that only grows.
fn nth(sequence: i64) -> GroupEvent {
    let at = Timestamp::from_micros(sequence);
    if sequence == 1 {
        return GroupEvent::GroupCreated {
            name: name("Sales"),
            description: None,
            strategy: RoutingStrategy::LeastLoaded,
            at,
        };
    }
    let agent_id = AgentId::from_uuid(Uuid::from_u128(sequence.unsigned_abs().into()));
    GroupEvent::AgentsAdded { agent_ids: BTreeSet::from([agent_id]), at }
}

fn from_events_only(count: i64) -> Group {
    let mut state = Group::default();
    (1..=count).for_each(|sequence| state.apply(nth(sequence)));
    state
}

async fn append(node: &Node, after: i64, to: i64) {
    let events = (after + 1..=to).map(nth).map(|event| NewEvent {
        event_type: event.event_type(),
        event_version: event.event_version(),
        ..with_payload(&serde_json::to_string(&event).unwrap())
    });
    let events = events.collect();
    let append = application::ports::StreamAppend { stream: group(), expected_version: after, events };
    node.log.append(of_streams(vec![append])).await.unwrap();
}

/// A stream with a snapshot at its 500th event and a tail after it.
async fn with_snapshot_and_tail(database: &TestDatabase) -> Node {
    let node = Node::start(database).await;
    append(&node, 0, EVENTS).await;
    assert_eq!(*node.bus().read::<Group>(group_id()).await.unwrap(), from_events_only(EVENTS));
    eventually(DEADLINE, "the snapshot is kept", async || snapshot(&node).await.map(drop).ok_or("none")).await;
    append(&node, EVENTS, EVENTS + 10).await;
    node
}

async fn snapshot(node: &Node) -> Option<VersionedState> {
    node.log.find_snapshot(group(), Group::FINGERPRINT).await.unwrap()
}

async fn loaded(node: &Node) -> Group {
    (*node.bus().read::<Group>(group_id()).await.unwrap()).clone()
}

/// Puts something into the stored state that no event says.
async fn mark(node: &Node) {
    let mut marked = snapshot(node).await.unwrap();
    marked.state["description"] = Value::from("from the snapshot");
    node.log.save_snapshot(group(), Group::FINGERPRINT, marked).await.unwrap();
}

each_database!(snapshot_and_tail_give_the_state_that_the_events_give);
async fn snapshot_and_tail_give_the_state_that_the_events_give(database: TestDatabase) {
    let node = with_snapshot_and_tail(&database).await;
    assert_eq!(snapshot(&node).await.unwrap().version, EVENTS);
    assert_eq!(loaded(&node).await, from_events_only(EVENTS + 10));
    // It is not for nothing: the snapshot is what the state was loaded from.
    mark(&node).await;
    let state = loaded(&node).await;
    assert_eq!(state.description, Some(Note::parse("from the snapshot").unwrap()));
    assert_eq!(state.agent_ids.len(), usize::try_from(EVENTS).unwrap() + 9);
}

each_database!(stream_that_grows_while_it_is_in_memory_gets_snapshots_too);
async fn stream_that_grows_while_it_is_in_memory_gets_snapshots_too(database: TestDatabase) {
    let node = Node::start(&database).await;
    append(&node, 0, 190).await;
    let bus = node.bus();
    for number in 191..=405 {
        let agent_ids = BTreeSet::from([AgentId::from_uuid(Uuid::from_u128(number))]);
        let add = GroupCommand::AddAgents { agent_ids, at: Timestamp::from_micros(1) };
        assert!(tell::<Group>(&bus, group_id(), add).await.unwrap().output);
        if number == 199 {
            assert_eq!(snapshot(&node).await, None, "there is nothing to keep yet");
        }
    }
    let kept = eventually(DEADLINE, "the snapshot follows", async || {
        snapshot(&node).await.filter(|kept| kept.version == 400).ok_or("not there")
    });
    let kept = kept.await;
    assert_eq!(serde_json::from_value::<Group>(kept.state).unwrap(), from_events_only(400));
    assert_eq!(loaded(&node).await, from_events_only(405));
}

each_database!(refused_append_leaves_no_snapshot);
async fn refused_append_leaves_no_snapshot(database: TestDatabase) {
    let node = Node::start(&database).await;
    append(&node, 0, 199).await;
    let state = serde_json::to_value(from_events_only(100)).unwrap();
    node.log.save_snapshot(group(), Group::FINGERPRINT, VersionedState { version: 100, state }).await.unwrap();
    let bus = node.bus();
    assert_eq!(*bus.read::<Group>(group_id()).await.unwrap(), from_events_only(199));
    // Another node comes first, with another agent: what was decided on the 199th event does not follow it.
    append(&node, 199, 200).await;
    let agent_ids = BTreeSet::from([AgentId::from_uuid(Uuid::from_u128(9_999))]);
    let add = GroupCommand::AddAgents { agent_ids, at: Timestamp::from_micros(1) };
    assert!(tell::<Group>(&bus, group_id(), add).await.unwrap().output);
    assert_eq!(loaded(&node).await.agent_ids.len(), 200);
    assert_eq!(snapshot(&node).await.unwrap().version, 100);
}

each_database!(snapshot_of_another_shape_is_ignored);
async fn snapshot_of_another_shape_is_ignored(database: TestDatabase) {
    let node = with_snapshot_and_tail(&database).await;
    mark(&node).await;
    node.database.execute("UPDATE snapshots SET fingerprint = 'group/0'", sql_args![]).await.unwrap();
    assert_eq!(loaded(&node).await, from_events_only(EVENTS + 10));
}

each_database!(snapshot_with_other_fields_is_ignored);
async fn snapshot_with_other_fields_is_ignored(database: TestDatabase) {
    let node = with_snapshot_and_tail(&database).await;
    let kept = snapshot(&node).await.unwrap();
    // Description is null: without a look at the fields, it would be so with another name, too.
    for change in ["added", "removed", "renamed"] {
        let mut changed = kept.clone();
        let fields = changed.state.as_object_mut().unwrap();
        fields.insert("name".to_owned(), Value::from("a name that no event gives"));
        match change {
            "added" => drop(fields.insert("label".to_owned(), Value::Null)),
            "removed" => drop(fields.remove("description")),
            _ => {
                let value = fields.remove("description").unwrap();
                fields.insert("note".to_owned(), value);
            }
        }
        node.database.execute("DELETE FROM snapshots", vec![]).await.unwrap();
        node.log.save_snapshot(group(), Group::FINGERPRINT, changed).await.unwrap();
        assert_eq!(loaded(&node.newcomer().await).await, from_events_only(EVENTS + 10), "{change}");
        let is_new = async || snapshot(&node).await.filter(|kept| kept.version > EVENTS).map(drop).ok_or("the old one");
        eventually(DEADLINE, "a new snapshot is kept", is_new).await;
    }
}

each_database!(broken_snapshot_is_ignored);
async fn broken_snapshot_is_ignored(database: TestDatabase) {
    let node = with_snapshot_and_tail(&database).await;
    for state in ["", "{", "null", "[]", r#"{"name":7}"#, "no JSON at all", "{\"name\":\"Sales\"}"] {
        node.database.execute("UPDATE snapshots SET state = ?, version = 500", sql_args![state]).await.unwrap();
        assert_eq!(loaded(&node).await, from_events_only(EVENTS + 10), "{state:?}");
    }
}

each_database!(changed_snapshot_is_ignored);
async fn changed_snapshot_is_ignored(database: TestDatabase) {
    const STATE: &str = "SELECT state FROM snapshots";
    let node = with_snapshot_and_tail(&database).await;
    let stored = node.database.fetch_all(STATE, vec![]).await.unwrap()[0].text("state").unwrap();
    let change = async |state: &str, version: i64| {
        let args = sql_args![state, version];
        node.database.execute("UPDATE snapshots SET state = ?, version = ?", args).await.unwrap();
        let state = loaded(&node.newcomer().await).await;
        eventually(DEADLINE, "a new snapshot is kept", async || snapshot(&node).await.map(drop).ok_or("none")).await;
        state
    };
    let with = |description: &str| {
        let mut changed: Value = serde_json::from_str(&stored).unwrap();
        changed["state"]["description"] = Value::from(description);
        changed.to_string()
    };
    assert_eq!(change(&with("chosen by a thief"), EVENTS).await, from_events_only(EVENTS + 10));
    assert_eq!(change(&stored, EVENTS - 1).await, from_events_only(EVENTS + 10));
    assert_eq!(change(&stored, EVENTS + 5).await, from_events_only(EVENTS + 10));
    // The control: unchanged, it is used.
    mark(&node).await;
    assert!(loaded(&node.newcomer().await).await.description.is_some());
}

each_database!(snapshot_of_events_that_the_log_has_lost_is_neither_used_nor_kept);
async fn snapshot_of_events_that_the_log_has_lost_is_neither_used_nor_kept(database: TestDatabase) {
    let node = with_snapshot_and_tail(&database).await;
    let kept = snapshot(&node).await.unwrap();
    node.database.execute("DELETE FROM events WHERE sequence > 400", vec![]).await.unwrap();
    assert_eq!(loaded(&node.newcomer().await).await, from_events_only(400));
    node.database.execute("DELETE FROM snapshots", vec![]).await.unwrap();
    node.log.save_snapshot(group(), Group::FINGERPRINT, kept.clone()).await.unwrap();
    assert_eq!(snapshot(&node).await.filter(|found| found.version == kept.version), None);
}

each_database!(lost_snapshots_lose_nothing);
async fn lost_snapshots_lose_nothing(database: TestDatabase) {
    let node = with_snapshot_and_tail(&database).await;
    node.database.execute("DELETE FROM snapshots", sql_args![]).await.unwrap();
    assert_eq!(loaded(&node).await, from_events_only(EVENTS + 10));
    node.ends_at(EVENTS + 10).await;
}
