//! Two writers step by step: the first has its place in the log and is slow to commit, the second is fast.

use std::sync::Arc;
use std::time::Duration;

use application::ports::EventLog as _;
use async_trait::async_trait;
use domain::ids::EntityId as _;
use harness::TestDatabase;
use infrastructure::database::{Database, DatabaseOptions};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::checker::{LogUnderTest, Seen, Tail, Violation};
use super::readers::PastTheLog;
use crate::support::{Node, SOON, repeatable, request, stream};

/// How long a writer may need if nothing is in its way; one that takes longer is waiting.
const UNDISTURBED: Duration = Duration::from_millis(300);

/// A log whose appends can be stopped in their middle.
#[async_trait]
pub trait Interleaved: LogUnderTest {
    /// Begins an append and goes on until it has its place, or waits for another one.
    async fn begin(&self) -> HalfAppend;
}

/// An append that has not been committed.
pub struct HalfAppend {
    go_on: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

impl HalfAppend {
    /// Runs the steps, with a pause after the first one until the test lets it go on.
    pub async fn of<T: Send + 'static, S: Future<Output = ()> + Send>(
        first: impl Future<Output = T> + Send + 'static,
        second: impl FnOnce(T) -> S + Send + 'static,
    ) -> Self {
        let (go_on, may_go_on) = oneshot::channel();
        let (arrive, arrived) = oneshot::channel();
        let done = tokio::spawn(async move {
            let between = first.await;
            // Nobody waits for it any more when it has waited itself.
            let _ = arrive.send(());
            may_go_on.await.expect("the test lets it go on");
            second(between).await;
        });
        drop(timeout(UNDISTURBED, arrived).await);
        Self { go_on, done }
    }
}

/// Lets the second overtake the first if the log allows it, and reads all the while.
pub async fn second_overtakes_first(log: &dyn Interleaved) -> Result<Tail, Violation> {
    let mut tail = Tail::default();
    let first = log.begin().await;
    tail.follow(log).await?;
    let mut second = log.begin().await;
    second.go_on.send(()).expect("it waits");
    // It may have to wait for the first.
    drop(timeout(UNDISTURBED, &mut second.done).await);
    tail.follow(log).await?;
    first.go_on.send(()).expect("it waits");
    timeout(SOON, first.done).await.expect("the first ends").unwrap();
    if !second.done.is_finished() {
        timeout(SOON, second.done).await.expect("the second ends").unwrap();
    }
    tail.follow(log).await?;
    tail.look_back(log).await?;
    Ok(tail)
}

/// The real log on two nodes. An append of the first is stopped after it has written its events, by somebody who holds
/// the key of its command.
struct TwoNodes {
    nodes: Vec<Node>,
    turn: std::sync::atomic::AtomicUsize,
}

#[async_trait]
impl LogUnderTest for TwoNodes {
    async fn visible_after(&self, position: i64) -> Vec<Seen> {
        PastTheLog(self.nodes[0].database.clone()).visible_after(position).await
    }
}

#[async_trait]
impl Interleaved for TwoNodes {
    async fn begin(&self) -> HalfAppend {
        let turn = self.turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let node = &self.nodes[turn];
        let append = repeatable(request(&[(stream(turn as u128), 0, 2)]), 1);
        let mut holder = node.database.log_session().await.unwrap();
        let hold = format!(
            "BEGIN; INSERT INTO command_log (command_id, request_digest, first_position, last_position, recorded_us) \
             VALUES ('{}', X'{}', 1, 1, 1)",
            append.command_id.uuid(),
            "00".repeat(32)
        );
        holder.run(&hold).await.unwrap();
        let log = Arc::clone(&node.log);
        let appending = tokio::spawn(async move { log.append(append).await.unwrap() });
        let waits = async move { crate::support::pause(100).await };
        HalfAppend::of(waits, async move |()| {
            holder.rollback().await.unwrap();
            appending.await.unwrap();
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_commit_is_not_overtaken_by_another_node() {
    // On SQLite no other connection writes before a slow commit has ended: see `controls`.
    let Some(database) = TestDatabase::mysql("slow_commit_is_not_overtaken_by_another_node").await else { return };
    let nodes = vec![Node::start(&database).await, Node::start(&database).await];
    let log = TwoNodes { nodes, turn: 0.into() };
    let tail = second_overtakes_first(&log).await.expect("the promise is kept");
    let streams: Vec<_> = tail.history().iter().map(|seen| seen.stream.as_u128()).collect();
    assert_eq!(streams, [0, 0, 1, 1], "the first had its place first");
    log.nodes[0].ends_at(4).await;
}

/// A database of the writer's own, so that nothing but the database keeps writers apart.
pub async fn own_connection(url: &str) -> Database {
    Database::connect(url, DatabaseOptions::default()).await.unwrap()
}
