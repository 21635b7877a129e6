//! Several nodes on one server. On SQLite there is one, which has the file for itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use harness::TestDatabase;
use infrastructure::subscription::{RunnerHandle, RunnerStatus};
use tokio::runtime::Runtime;

use super::counting::{Counting, Counts, Fault, statuses_until, subscriptions};
use crate::support::{Node, SOON, pause};

/// How soon another node must project after a crash.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(5);

/// A node with a runtime of its own, so that all of it can die in an instant.
struct Mortal {
    runtime: Runtime,
    handle: RunnerHandle,
    projector: Arc<Counting>,
}

impl Mortal {
    async fn start(database: &TestDatabase, fault: Fault) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let projector = Arc::new(Counting::new("counts", "mortal", fault));
        let (url, shared) = (database.url().to_owned(), Arc::clone(&projector));
        let start = async move {
            let node = Node::at(&url).await;
            subscriptions(&node).start(shared)
        };
        let handle = runtime.spawn(start).await.unwrap();
        Self { runtime, handle, projector }
    }

    /// No task of it gets another turn: nothing is released, nothing is finished.
    fn crash(self) {
        self.runtime.shutdown_background();
    }
}

async fn survivor(database: &TestDatabase) -> (Node, RunnerHandle, Arc<Counting>) {
    let node = Node::start(database).await;
    let projector = Arc::new(Counting::new("counts", "survivor", Fault::None));
    let handle = subscriptions(&node).start(Arc::clone(&projector) as _);
    (node, handle, projector)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_projects_and_both_can_wait() {
    let Some(database) = TestDatabase::mysql("one_node_projects_and_both_can_wait").await else { return };
    let leader = Mortal::start(&database, Fault::None).await;
    let (node, follower, idle) = survivor_after(&database, &leader).await;
    for round in 0..20 {
        let last = node.append(round, 0, 3).await;
        let (here, there) = tokio::join!(follower.wait_for(last, SOON), leader.handle.wait_for(last, SOON));
        assert!(here && there);
        assert_eq!(Counts::of(&node.database, "counts").await, last, "a reader that has waited sees it");
    }
    assert_eq!((leader.handle.status(), follower.status()), (RunnerStatus::Running, RunnerStatus::Following));
    assert_eq!(idle.begun(), Vec::<i64>::new());
    leader.crash();
}

/// Starts a second node when the first one leads.
async fn survivor_after(database: &TestDatabase, leader: &Mortal) -> (Node, RunnerHandle, Arc<Counting>) {
    Counts::create(&Node::start(database).await.database).await;
    statuses_until(&leader.handle, RunnerStatus::Running).await;
    survivor(database).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn survivor_takes_over_soon_after_a_crash() {
    let Some(database) = TestDatabase::mysql("survivor_takes_over_soon_after_a_crash").await else { return };
    let leader = Mortal::start(&database, Fault::None).await;
    let (node, follower, _) = survivor_after(&database, &leader).await;
    let last = node.append(1, 0, 100).await;
    assert!(follower.wait_for(last, SOON).await);
    assert_eq!(Counts::on(&node.database, "mortal").await, 100);

    leader.crash();
    let crashed = Instant::now();
    let last = node.append(2, 0, 100).await;
    assert!(follower.wait_for(last, TAKEN_OVER_WITHIN).await, "nobody has taken over");
    println!("taken over after {:?}", crashed.elapsed());
    assert_eq!(follower.status(), RunnerStatus::Running);
    assert_eq!(Counts::on(&node.database, "survivor").await, 100);
    assert_eq!(Counts::of(&node.database, "counts").await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_in_a_transaction_loses_and_doubles_nothing() {
    let Some(database) = TestDatabase::mysql("crash_in_a_transaction_loses_and_doubles_nothing").await else { return };
    let leader = Mortal::start(&database, Fault::HangsInTransactions).await;
    let (node, follower, _) = survivor_after(&database, &leader).await;
    let last = node.append(1, 0, 100).await;
    while leader.projector.begun().is_empty() {
        pause(5).await;
    }
    leader.crash();
    assert!(follower.wait_for(last, TAKEN_OVER_WITHIN).await, "nobody has taken over");
    assert_eq!((Counts::on(&node.database, "mortal").await, Counts::of(&node.database, "counts").await), (0, 100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_that_slept_through_the_end_of_its_lease_is_fenced_off() {
    let Some(database) = TestDatabase::mysql("node_that_slept_through_the_end_of_its_lease_is_fenced_off").await else {
        return;
    };
    let awake = Arc::new(AtomicBool::new(false));
    let leader = Mortal::start(&database, Fault::FreezesUntil(Arc::clone(&awake))).await;
    let (node, follower, _) = survivor_after(&database, &leader).await;
    node.append(1, 0, 10).await;
    // The whole node stands still in its transaction: it does not renew its lease, and does not know that.
    statuses_until(&follower, RunnerStatus::Running).await;
    // The checkpoint lets the other wait for the end of the first one's transaction.
    pause(300).await;
    assert_eq!((Counts::of(&node.database, "counts").await, follower.position()), (0, 0));
    awake.store(true, Ordering::SeqCst);
    project_once(&node, &follower, leader).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_that_slept_before_it_sent_anything_is_fenced_off() {
    let name = "node_that_slept_before_it_sent_anything_is_fenced_off";
    let Some(database) = TestDatabase::mysql(name).await else { return };
    let awake = Arc::new(AtomicBool::new(false));
    let leader = Mortal::start(&database, Fault::FreezesBeforeUntil(Arc::clone(&awake))).await;
    let (node, follower, _) = survivor_after(&database, &leader).await;
    let last = node.append(1, 0, 10).await;
    assert!(follower.wait_for(last, SOON).await, "the other does not wait for it");
    assert_eq!(Counts::on(&node.database, "survivor").await, 10);
    awake.store(true, Ordering::SeqCst);
    project_once(&node, &follower, leader).await;
}

/// After ten events: one of the nodes projects what follows, and both know.
async fn project_once(node: &Node, follower: &RunnerHandle, leader: Mortal) {
    assert!(follower.wait_for(10, SOON).await && leader.handle.wait_for(10, SOON).await);
    assert_eq!(Counts::of(&node.database, "counts").await, 10);
    for round in 2..12 {
        let last = node.append(round, 0, 10).await;
        let (here, there) = tokio::join!(follower.wait_for(last, SOON), leader.handle.wait_for(last, SOON));
        assert!(here && there);
        assert_eq!(Counts::of(&node.database, "counts").await, last, "one of them, and not both");
    }
    let running = [follower.status(), leader.handle.status()].iter().filter(|s| **s == RunnerStatus::Running).count();
    assert_eq!(running, 1);
    leader.crash();
}
