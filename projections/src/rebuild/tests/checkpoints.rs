//! Checkpoints that name a place which the log does not have.

use std::sync::Arc;
use std::time::Duration;

use application::ports::EventLog as _;
use infrastructure::database::Database;
use infrastructure::subscription::{ROUTER, RunnerHandle, RunnerStatus, StopReason, Subscriber};
use tokio::time::timeout;

use super::live::{Node, start};
use super::replay::{chats, differences, replay, subscriptions, tag, tag_names};
use crate::rebuild::RebuildError;
use crate::tags::TagsProjector;
use infrastructure::testing::fresh_databases;

const SOON: Duration = Duration::from_secs(20);

/// A hash that the position never had, a position that the log has not reached, positions with another one's hash, another
/// history, and values that cannot be read.
const SPOILED: [&str; 7] = [
    "chain_hash = X'0101010101010101010101010101010101010101010101010101010101010101'",
    "position = position + 30",
    "position = position - 1",
    "position = 0",
    "epoch = '00000000-0000-0000-0000-000000000009'",
    "epoch = 'no history'",
    "chain_hash = X'00'",
];

async fn spoil(database: &Database, subscriber: &str, what: &str) {
    let sql = format!("UPDATE checkpoints SET {what} WHERE name = '{subscriber}'");
    assert_eq!(database.execute(&sql, vec![]).await.unwrap(), 1);
}

/// Starts it again, and expects that it does not run.
async fn stops(node: &Node, database: &Database, subscriber: Arc<dyn Subscriber>) -> RunnerHandle {
    let handle = subscriptions(node, database).start(subscriber);
    let stopped = timeout(SOON, handle.statuses().wait_for(RunnerStatus::has_ended)).await.unwrap().unwrap().clone();
    assert!(matches!(stopped, RunnerStatus::Stopped(StopReason::ForeignCheckpoint { .. })), "{stopped:?}");
    handle
}

/// Waits until it has noticed that its tables were replaced.
async fn runs(handle: &RunnerHandle) {
    let is_running = |status: &RunnerStatus| *status == RunnerStatus::Running;
    timeout(SOON, handle.statuses().wait_for(is_running)).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_mends_a_checkpoint_that_is_not_in_the_log() {
    for fresh in fresh_databases().await {
        let database = &fresh.database;
        let node = start(database).await;
        tag(&node, "first").await;
        node.settle().await;
        node.runner("tags").shut_down().await;
        for (round, spoiled) in SPOILED.into_iter().enumerate() {
            spoil(database, "tags", spoiled).await;
            let handle = stops(&node, database, Arc::new(TagsProjector)).await;
            tag(&node, &format!("after {round}")).await;
            let refused = replay(&node, database).verify(&["tags"], &(), &mut |_| {}).await.unwrap_err();
            assert!(matches!(refused, RebuildError::ForeignCheckpoint { subscriber: "tags" }), "{refused}");
            replay(&node, database).run(&[], &()).await.unwrap();
            runs(&handle).await;
            let head = node.desk.log.head().await.unwrap().position;
            assert!(handle.wait_for(head, SOON).await, "{spoiled}: {:?}", handle.status());
            assert_eq!(tag_names(database).await.len(), round + 2, "{spoiled}");
            assert_eq!(differences(&node, database).await, [], "{spoiled}");
            handle.shut_down().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refold_mends_the_routers_checkpoint() {
    for fresh in fresh_databases().await {
        let database = &fresh.database;
        let node = start(database).await;
        chats(&node, 26).await;
        for spoiled in SPOILED {
            spoil(database, "routing", spoiled).await;
            // It is noticed with the next event; nothing can settle then.
            node.desk.chat().await;
            let stopped = |status: &RunnerStatus| matches!(status, RunnerStatus::Stopped(_));
            timeout(SOON, node.runner("routing").statuses().wait_for(stopped)).await.unwrap().unwrap();
            replay(&node, database).refold(ROUTER, &()).await.unwrap();
            runs(node.runner("routing")).await;
            node.settle().await;
            assert_eq!(differences(&node, database).await, [], "{spoiled}");
        }
    }
}
