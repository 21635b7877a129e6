//! A reader who sees position N sees every position below N.

mod checker;
mod controls;
mod interleaving;
mod readers;
mod writers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use application::ports::EventLog as _;
use futures::future::join_all;
use harness::{TestDatabase, each_database};
use infrastructure::database::{Database, DatabaseOptions};
use tokio::task::JoinHandle;

use crate::support::{Node, all_nodes, pause};
use checker::{LogUnderTest, Tail, Violation};
use readers::{Impatient, PastTheLog, Patient, WholeTable};
use writers::{Writers, interfere};

type Reader = JoinHandle<Result<Tail, Violation>>;

each_database!(everybody_sees_the_same_growing_prefix_whatever_writers_do);
async fn everybody_sees_the_same_growing_prefix_whatever_writers_do(database: TestDatabase) {
    let nodes = all_nodes(&database).await;
    let writers = Writers::random(&nodes);
    let done = Arc::new(AtomicBool::new(false));
    let readers = readers(&nodes, &database, &done).await;
    let interference = tokio::spawn(interfere(connection(&database).await, Arc::clone(&done)));

    let appended = writers.run(&nodes).await;
    done.store(true, Ordering::SeqCst);
    let interferences = interference.await.unwrap();
    println!(
        "{} events in {} appends, {} refused, {interferences} rollbacks",
        appended.events(),
        appended.receipts.len(),
        appended.refused
    );

    let last = nodes[0].log.head().await.unwrap().position;
    for reader in join_all(readers).await {
        let tail = reader.unwrap().expect("the promise is kept");
        assert_eq!(tail.position(), last, "everybody sees all of it in the end");
        tail.look_back(&PastTheLog(nodes[0].database.clone())).await.unwrap();
        appended.is_what_was_seen(tail.history());
    }
    assert!(appended.refused > 0 && interferences > 0, "nothing was refused or nobody interfered");
    nodes[0].ends_at(last).await;
}

async fn connection(database: &TestDatabase) -> Database {
    Database::connect(database.url(), DatabaseOptions::default()).await.unwrap()
}

async fn readers(nodes: &[Node], database: &TestDatabase, done: &Arc<AtomicBool>) -> Vec<Reader> {
    let mut logs: Vec<Box<dyn LogUnderTest>> = vec![
        Box::new(PastTheLog(connection(database).await)),
        Box::new(WholeTable(connection(database).await)),
        Box::new(Impatient(nodes[0].newcomer().await.log)),
    ];
    for node in nodes {
        logs.push(Box::new(Patient(Arc::clone(&node.log))));
        logs.push(Box::new(Impatient(Arc::clone(&node.log))));
    }
    logs.into_iter().map(|log| tokio::spawn(follow(log, Arc::clone(done)))).collect()
}

/// Follows until the writers are done and everything that is visible then was seen.
async fn follow(log: Box<dyn LogUnderTest>, done: Arc<AtomicBool>) -> Result<Tail, Violation> {
    let mut tail = Tail::default();
    loop {
        let is_last = done.load(Ordering::SeqCst);
        tail.follow(log.as_ref()).await?;
        if is_last {
            return Ok(tail);
        }
        pause(1).await;
    }
}
