//! Projections are exactly once in effect, whatever dies on the way.

mod counting;
mod takeover;

use std::sync::Arc;

use application::ports::EventLog;
use harness::{TestDatabase, each_database};
use infrastructure::sql_args;
use infrastructure::subscription::{RunnerStatus, StopReason};

use crate::support::{Node, SOON};
use counting::{Counting, Counts, Fault, statuses_until, stopped};

each_database!(killed_transactions_leave_every_event_counted_once);
async fn killed_transactions_leave_every_event_counted_once(database: TestDatabase) {
    let node = Node::start(&database).await;
    Counts::create(&node.database).await;
    let projector = Arc::new(Counting::new("counts", "here", Fault::LosesEachThirdTransaction));
    let handle = counting::subscriptions(&node).start(Arc::clone(&projector) as _);
    let mut last = 0;
    for round in 0..30 {
        last = node.append(round, 0, 1 + usize::try_from(round % 7).unwrap()).await;
        if round % 3 == 0 {
            assert!(handle.wait_for(last, SOON).await);
        }
    }
    assert!(handle.wait_for(last, SOON).await);
    assert!(projector.lost() >= 5, "lost {}", projector.lost());
    assert_eq!(Counts::of(&node.database, "counts").await, last);
    assert_eq!(handle.status(), RunnerStatus::Running);
}

each_database!(poison_stops_its_projector_only_and_shows);
async fn poison_stops_its_projector_only_and_shows(database: TestDatabase) {
    let node = Node::start(&database).await;
    Counts::create(&node.database).await;
    let subscriptions = counting::subscriptions(&node);
    let good = subscriptions.start(Arc::new(Counting::new("good", "here", Fault::None)));
    let bad = subscriptions.start(Arc::new(Counting::new("bad", "here", Fault::PoisonAt(13))));
    node.append(1, 0, 20).await;
    assert_eq!(stopped(&bad).await, StopReason::Poison { position: 13, cause: "bad".into() });
    assert!(!bad.wait_for(20, SOON).await, "it never gets there, and says so at once");
    let last = node.append(2, 0, 20).await;
    assert!(good.wait_for(last, SOON).await);
    assert_eq!(good.status(), RunnerStatus::Running);
    assert_eq!(Counts::of(&node.database, "good").await, 40);
    assert_eq!(Counts::of(&node.database, "bad").await, 12, "everything before the poison, once");
}

each_database!(restarted_projector_goes_on_where_it_was);
async fn restarted_projector_goes_on_where_it_was(database: TestDatabase) {
    let node = Node::start(&database).await;
    Counts::create(&node.database).await;
    for round in 0..5 {
        let handle = counting::subscriptions(&node).start(Arc::new(Counting::new("counts", "here", Fault::None)));
        let last = node.append(round, 0, 600).await;
        // Shut down in its middle, or after it.
        if round % 2 == 0 {
            assert!(handle.wait_for(last, SOON).await);
        }
        handle.shut_down().await;
        assert_eq!(handle.status(), RunnerStatus::ShutDown);
    }
    let handle = counting::subscriptions(&node).start(Arc::new(Counting::new("counts", "here", Fault::None)));
    assert!(handle.wait_for(3_000, SOON).await);
    assert_eq!(Counts::of(&node.database, "counts").await, 3_000);
}

each_database!(checkpoint_in_another_history_stops_the_projector);
async fn checkpoint_in_another_history_stops_the_projector(database: TestDatabase) {
    let node = Node::start(&database).await;
    Counts::create(&node.database).await;
    let start = || counting::subscriptions(&node).start(Arc::new(Counting::new("counts", "here", Fault::None)));
    let handle = start();
    assert!(handle.wait_for(node.append(1, 0, 5).await, SOON).await);
    handle.shut_down().await;
    let epoch = node.log.head().await.unwrap().epoch.to_string();
    let hash = node.log.head().await.unwrap().chain_hash;
    let set = "UPDATE checkpoints SET position = ?, chain_hash = ?, epoch = ?";
    let foreign = "00000000-0000-0000-0000-000000000009";
    // A foreign epoch; a hash that this position never had; a position that this log has not reached.
    let other_hash = sql_args![5_i64, [1; 32], &epoch];
    for args in [sql_args![5_i64, hash, foreign], other_hash, sql_args![7_i64, hash, &epoch]] {
        node.database.execute(set, args).await.unwrap();
        assert!(matches!(stopped(&start()).await, StopReason::ForeignCheckpoint { .. }));
    }
    node.database.execute(set, sql_args![5_i64, hash, &epoch]).await.unwrap();
    let handle = start();
    assert!(handle.wait_for(node.append(2, 0, 5).await, SOON).await, "the right one goes on");
    assert_eq!(Counts::of(&node.database, "counts").await, 10);
    statuses_until(&handle, RunnerStatus::Running).await;
}
