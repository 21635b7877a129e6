//! Connections that break at the worst moment: what was acknowledged is there once, and nothing is there twice.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{AppendRequest, EventLog, Ids as _, Receipt};
use domain::ids::{EntityId as _, EventId};
use futures::future::join_all;
use harness::{Fault, FaultyProxy, TestDatabase};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::event_log::SqlEventLog;
use infrastructure::sql_args;
use infrastructure::system::RandomIds;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::support::{Node, each_once, event_ids, repeatable, request, stored_ids, stream};

/// A node behind a faulty connection, and one that sees the database as it is.
struct Scene {
    proxy: FaultyProxy,
    log: Arc<SqlEventLog>,
    witness: Node,
    _database: TestDatabase,
}

impl Scene {
    async fn set(test: &str) -> Option<Self> {
        let database = TestDatabase::mysql(test).await?;
        let witness = Node::start(&database).await;
        let proxy = FaultyProxy::before(database.url()).await;
        let log = Node::at(proxy.url()).await.log;
        Some(Self { proxy, log, witness, _database: database })
    }

    /// Appends, and checks that the events stand once, exactly where the receipt says.
    async fn append(&self, request: AppendRequest) -> Receipt {
        let ids = event_ids(&request);
        let receipt = self.log.append(request).await.unwrap_or_else(|error| panic!("{error:?}"));
        let stored = stored_ids(&self.witness.database).await;
        let first = usize::try_from(receipt.first_position - 1).unwrap();
        assert_eq!(stored[first..][..ids.len()], ids);
        each_once(&stored, &ids).unwrap();
        assert_eq!(self.proxy.planned(), 0, "the fault has happened");
        receipt
    }
}

/// Appends with each fault, as one that may come again and as one that may not.
async fn survives(test: &str, fault: Fault, times: u128) {
    let Some(scene) = Scene::set(test).await else { return };
    scene.append(request(&[(stream(1_000), 0, 1)])).await;
    for id in 0..times {
        scene.proxy.plan([fault]);
        let request = request(&[(stream(id), 0, 2), (stream(100 + id), 0, 1)]);
        let receipt = scene.append(if id % 2 == 0 { repeatable(request, 1) } else { request }).await;
        assert_eq!(receipt.first_position, 2 + 3 * i64::try_from(id).unwrap(), "nothing is there twice");
    }
    scene.witness.ends_at(1 + 3 * i64::try_from(times).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commit_without_an_answer_is_found_and_acknowledged() {
    survives("commit_without_an_answer_is_found_and_acknowledged", Fault::CutBeforeAnswer, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn script_that_never_arrived_is_sent_again() {
    survives("script_that_never_arrived_is_sent_again", Fault::CutBefore, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn script_whose_connection_ends_while_it_runs_is_appended_once() {
    survives("script_whose_connection_ends_while_it_runs_is_appended_once", Fault::CutAtOnce, 30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_script_is_appended_once() {
    survives("stalled_script_is_appended_once", Fault::Stall(Duration::from_secs(1)), 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn script_that_arrives_after_its_appender_gave_it_up_is_appended_once() {
    let test = "script_that_arrives_after_its_appender_gave_it_up_is_appended_once";
    let Some(scene) = Scene::set(test).await else { return };
    scene.proxy.plan([Fault::Stall(Duration::from_millis(3_500))]);
    let receipt = scene.append(request(&[(stream(1), 0, 1)])).await;
    assert_eq!(receipt.first_position, 1);
    crate::support::pause(1_500).await;
    assert_eq!(scene.append(request(&[(stream(2), 0, 1)])).await.first_position, 2);
    scene.witness.ends_at(2).await;
}

fn random_faults(count: usize) -> Vec<Fault> {
    let stall = (0..40_u64).prop_map(|millis| Fault::Stall(Duration::from_millis(millis)));
    let cut = prop_oneof![Just(Fault::CutBefore), Just(Fault::CutAtOnce), Just(Fault::CutBeforeAnswer)];
    let fault = prop_oneof![3 => Just(Fault::None), 1 => stall, 2 => cut];
    proptest::collection::vec(fault, count).new_tree(&mut TestRunner::default()).unwrap().current()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_appends_over_a_bad_connection_are_there_once() {
    const WRITERS: u128 = 6;
    const APPENDS: i64 = 60;
    let test = "hundreds_of_appends_over_a_bad_connection_are_there_once";
    let Some(scene) = Scene::set(test).await else { return };
    scene.proxy.plan(random_faults(10_000));
    let writers = (0..WRITERS).map(|writer| {
        let log = Arc::clone(&scene.log);
        tokio::spawn(async move {
            let mut acknowledged = vec![];
            for version in 0..APPENDS {
                let request = request(&[(stream(writer), version, 1)]);
                let ids = event_ids(&request);
                let receipt = log.append(request).await.unwrap_or_else(|error| panic!("{version}: {error:?}"));
                acknowledged.push((receipt.first_position, ids[0]));
            }
            acknowledged
        })
    });
    let acknowledged: Vec<_> = join_all(writers).await.into_iter().flat_map(Result::unwrap).collect();
    let stored = stored_ids(&scene.witness.database).await;
    for (position, id) in &acknowledged {
        assert_eq!(stored[usize::try_from(position - 1).unwrap()], *id);
    }
    each_once(&stored, &acknowledged.iter().map(|(_, id)| *id).collect::<Vec<_>>()).unwrap();
    let happened = 10_000 - scene.proxy.planned();
    println!("{happened} batches");
    assert!(happened > 60, "{happened} batches");
    scene.witness.ends_at(i64::try_from(WRITERS).unwrap() * APPENDS).await;
}

/// Appends an event, and when it hears nothing appends it again.
async fn append_naively(database: &Database, id: EventId) {
    let script = format!(
        "BEGIN; UPDATE naive_head SET position = position + 1; \
         INSERT INTO events (position, event_id) SELECT position, '{}' FROM naive_head; COMMIT",
        id.uuid()
    );
    loop {
        let Ok(mut session) = database.log_session().await else { continue };
        if session.run(&script).await.is_ok() {
            return session.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appender_that_tries_again_blindly_appends_twice() {
    let Some(database) = TestDatabase::mysql("appender_that_tries_again_blindly_appends_twice").await else { return };
    let witness = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    for sql in [
        "CREATE TABLE events (position BIGINT NOT NULL PRIMARY KEY, event_id CHAR(36) NOT NULL)",
        "CREATE TABLE naive_head (position BIGINT NOT NULL)",
        "INSERT INTO naive_head (position) VALUES (0)",
    ] {
        witness.execute(sql, sql_args![]).await.unwrap();
    }
    let proxy = FaultyProxy::before(database.url()).await;
    let behind = Database::connect(proxy.url(), DatabaseOptions::default()).await.unwrap();
    let mut acknowledged = vec![];
    for fault in [Fault::None, Fault::CutBefore, Fault::CutBeforeAnswer] {
        proxy.plan([fault]);
        let id = EventId::new(RandomIds.new_uuid());
        append_naively(&behind, id).await;
        acknowledged.push(id);
        let verdict = each_once(&stored_ids(&witness).await, &acknowledged);
        let twice = "0 acknowledged events are lost, 1 are there twice".to_owned();
        assert_eq!(verdict, if fault == Fault::CutBeforeAnswer { Err(twice) } else { Ok(()) }, "{fault:?}");
    }
}
