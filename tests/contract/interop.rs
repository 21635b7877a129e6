//! Unmodified mysql-es over our table: its reader understands it, its writer fails and changes nothing.

use std::fmt::Debug;

use application::ports::{EventLog, StreamId};
use cqrs_es::persist::{PersistedEventRepository, PersistedEventStore};
use cqrs_es::{CqrsFramework, EventStore};
use domain::agent::Agent;
use domain::aggregate::Root;
use domain::conversation::Conversation;
use domain::group::Group;
use domain::ids::{EntityId as _, TagId};
use domain::tag::{Tag, TagCommand};
use domain::thread::Thread;
use domain::time::Timestamp;
use domain::visitor::Visitor;
use harness::TestDatabase;
use mysql_es::MysqlEventRepository;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{Executor as _, MySqlPool};
use uuid::Uuid;

use crate::support::{Node, stored_ids};
use crate::use_cases::{Chat, name, tell};

/// Compares one aggregate as cqrs-es loads it with what our log and command bus make of it.
async fn reads_the_same<A: Root + PartialEq, R: PersistedEventRepository>(node: &Node, repository: R, id: A::Id) {
    let store = PersistedEventStore::<R, A>::new_event_store(repository);
    let theirs = store.load_events(&id.to_string()).await.unwrap();
    let ours = node.log.read_stream(StreamId::of::<A>(id), 0).await.unwrap();
    assert!(!ours.is_empty());
    let theirs: Vec<_> = theirs
        .iter()
        .map(|envelope| (envelope.sequence as i64, serde_json::to_value(&envelope.payload).unwrap()))
        .collect();
    assert_eq!(theirs, ours.into_iter().map(|event| (event.sequence, event.payload)).collect::<Vec<_>>());

    let context = store.load_aggregate(&id.to_string()).await.unwrap();
    assert_eq!(context.current_sequence, theirs.len());
    assert_eq!(context.aggregate, *node.bus().read::<A>(id).await.unwrap());
}

async fn reads_all<R: PersistedEventRepository>(node: &Node, repository: impl Fn() -> R) {
    let chat = Chat::held(&node.bus()).await;
    reads_the_same::<Group, R>(node, repository(), chat.group_id).await;
    reads_the_same::<Agent, R>(node, repository(), chat.agent_id).await;
    reads_the_same::<Visitor, R>(node, repository(), chat.visitor_id).await;
    reads_the_same::<Conversation, R>(node, repository(), chat.conversation_id).await;
    reads_the_same::<Thread, R>(node, repository(), chat.thread_id).await;
}

fn create() -> TagCommand {
    TagCommand::Create { name: name("VIP"), color: None, at: Timestamp::from_micros(1) }
}

/// Lets cqrs-es carry out commands on a stream that exists and on one that does not.
async fn writes_fail<R: PersistedEventRepository>(node: &Node, repository: impl Fn() -> R) {
    let (old, new) = (TagId::from_uuid(Uuid::from_u128(1)), TagId::from_uuid(Uuid::from_u128(2)));
    tell::<Tag>(&node.bus(), old, create()).await.unwrap();
    let (before, ids) = (node.log.head().await.unwrap(), stored_ids(&node.database).await);
    let delete = TagCommand::Delete { at: Timestamp::from_micros(2) };
    for (id, command) in [(old, delete), (new, create())] {
        let outcome = framework::<Tag, R>(repository()).execute(&id.to_string(), command).await;
        outcome.expect_err("a writer that knows nothing of positions fails");
    }
    assert_eq!(node.log.head().await.unwrap(), before);
    assert_eq!(stored_ids(&node.database).await, ids);
    // And the log goes on as if nothing had been.
    tell::<Tag>(&node.bus(), new, create()).await.unwrap();
    node.ends_at(2).await;
}

fn framework<A: Root, R: PersistedEventRepository>(repository: R) -> CqrsFramework<A, PersistedEventStore<R, A>>
where
    A::Command: Debug,
{
    CqrsFramework::new(PersistedEventStore::new_event_store(repository), vec![], ())
}

async fn mysql_pool(database: &TestDatabase) -> MySqlPool {
    MySqlPool::connect(database.url()).await.unwrap()
}

/// A server in a mode that accepts any value.
async fn lenient_mysql(database: &TestDatabase) -> MySqlPool {
    let lenient = MySqlPoolOptions::new().after_connect(|connection, _| {
        Box::pin(async move { connection.execute("SET SESSION sql_mode = ''").await.map(drop) })
    });
    lenient.connect(database.url()).await.unwrap()
}

#[tokio::test]
async fn unmodified_reader_sees_the_same_events_and_aggregates() {
    let Some(database) = TestDatabase::mysql("unmodified_reader_sees_the_same_events_and_aggregates").await else {
        return;
    };
    let node = Node::start(&database).await;
    let pool = mysql_pool(&database).await;
    reads_all(&node, || MysqlEventRepository::new(pool.clone())).await;
}

#[tokio::test]
async fn unmodified_writer_fails_and_changes_nothing() {
    let Some(database) = TestDatabase::mysql("unmodified_writer_fails_and_changes_nothing").await else { return };
    let node = Node::start(&database).await;
    let pool = mysql_pool(&database).await;
    writes_fail(&node, || MysqlEventRepository::new(pool.clone())).await;
}

#[tokio::test]
async fn unmodified_writer_fails_on_a_lenient_server_too() {
    let Some(database) = TestDatabase::mysql("unmodified_writer_fails_on_a_lenient_server_too").await else { return };
    let node = Node::start(&database).await;
    let pool = lenient_mysql(&database).await;
    writes_fail(&node, || MysqlEventRepository::new(pool.clone())).await;
}
