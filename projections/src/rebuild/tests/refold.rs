//! The router's state is folded again while a node runs it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use application::ports::{Clock as _, EventLog as _, Position};
use domain::conversation::ConversationEvent;
use domain::event::AnyEvent;
use domain::ids::ConversationId;
use infrastructure::database::Database;
use infrastructure::subscription::ROUTER;
use infrastructure::system::SystemClock;
use uuid::Uuid;

use super::live::{Node, start};
use super::replay::{chats, differences, replay};
use crate::conversations::ConversationQueries;
use crate::rebuild::RebuildObserver;
use crate::rebuild::commands::FOLDING;
use infrastructure::testing::fresh_databases;

/// A running router assigns within milliseconds.
const LONG: Duration = Duration::from_millis(1_500);

/// Longer than a node takes to notice that its state was replaced.
const RELOADED: Duration = Duration::from_millis(2_500);

async fn is_assigned(database: &Database, id: ConversationId) -> bool {
    let chat = ConversationQueries::new(database.clone()).find_conversation(id).await.unwrap().unwrap();
    chat.assigned_agent_id.is_some()
}

/// How often each chat was assigned.
async fn assignments(node: &Node) -> BTreeMap<Uuid, usize> {
    let mut counts = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = node.desk.log.read_after(after, 500).await.unwrap();
        let Some(last) = page.last() else { return counts };
        after = last.header.position;
        for event in &page {
            if let AnyEvent::Conversation(ConversationEvent::AgentAssigned { .. }) = event.event {
                *counts.entry(event.header.aggregate_id).or_default() += 1;
            }
        }
    }
}

/// Lets every node read its state of the router from the tables again.
async fn reload(database: &Database) {
    let sql = "UPDATE checkpoints SET generation = generation + 1 WHERE name = 'routing'";
    database.execute(sql, vec![]).await.unwrap();
    SystemClock.sleep(RELOADED).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spoiled_state_is_mended_under_a_running_node_and_no_chat_is_assigned_twice() {
    for fresh in fresh_databases().await {
        let database = &fresh.database;
        let node = start(database).await;
        // Four agents with six slots each.
        chats(&node, 24).await;
        let waiting = node.desk.chat().await.conversation_id;
        node.settle().await;
        for sql in ["DELETE FROM routing_queue", "DELETE FROM routing_state WHERE kind = 'served'"] {
            assert!(database.execute(sql, vec![]).await.unwrap() > 0, "{sql}");
        }
        reload(database).await;
        let served = *assignments(&node).await.keys().next().unwrap();
        node.desk.close(node.desk.supervisor(), domain::ids::EntityId::from_uuid(served)).await.unwrap();
        SystemClock.sleep(LONG).await;
        assert!(!is_assigned(database, waiting).await, "the spoiled state does not know that the chat waits");
        assert_ne!(differences(&node, database).await, []);

        replay(&node, database).refold(ROUTER, &()).await.unwrap();
        node.wait_until_assigned(database, waiting).await;
        node.settle().await;
        assert_eq!(differences(&node, database).await, []);
        let counts = assignments(&node).await;
        assert!(counts.len() == 25 && counts.values().all(|count| *count == 1), "{counts:?}");
    }
}

/// Stops a refold as soon as every router pauses, until the test lets it go on.
struct Gate {
    entered: Mutex<Sender<()>>,
    opened: Mutex<Receiver<()>>,
}

impl RebuildObserver for Gate {
    fn reached(&self, _: Position, _: Position) {}

    fn does(&self, what: &'static str) {
        if what == FOLDING {
            self.entered.lock().unwrap().send(()).unwrap();
            self.opened.lock().unwrap().recv().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_dispatched_while_the_state_is_folded_again() {
    for fresh in fresh_databases().await {
        let database = fresh.database.clone();
        let node = start(&database).await;
        let before = node.desk.chat().await.conversation_id;
        node.wait_until_assigned(&database, before).await;
        let (entered, has_entered) = channel();
        let (open, opened) = channel();
        let gate = Gate { entered: Mutex::new(entered), opened: Mutex::new(opened) };
        let replay = replay(&node, &database);
        let refold = tokio::spawn(async move { replay.refold(ROUTER, &gate).await });
        tokio::task::spawn_blocking(move || has_entered.recv().unwrap()).await.unwrap();

        let meanwhile = node.desk.chat().await.conversation_id;
        SystemClock.sleep(LONG).await;
        assert_eq!(assignments(&node).await.len(), 1, "nothing is assigned while the router pauses");
        open.send(()).unwrap();
        refold.await.unwrap().unwrap();
        node.wait_until_assigned(&database, meanwhile).await;
        let counts = assignments(&node).await;
        assert!(counts.len() == 2 && counts.values().all(|count| *count == 1), "{counts:?}");
        node.settle().await;
        assert_eq!(differences(&node, &database).await, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_attempts_are_forgotten_and_what_waits_is_tried_again() {
    for fresh in fresh_databases().await {
        let database = &fresh.database;
        let node = start(database).await;
        chats(&node, 24).await;
        let waiting = node.desk.chat().await.conversation_id;
        node.settle().await;
        // Far in the future: no attempt would follow.
        let sql = "UPDATE routing_queue SET attempts = 7, next_attempt_us = 9000000000000000, last_error = 'full'";
        assert!(database.execute(sql, vec![]).await.unwrap() > 0);
        replay(&node, database).refold(ROUTER, &()).await.unwrap();
        let sql = "SELECT conversation_id FROM routing_queue WHERE attempts > 0 OR last_error IS NOT NULL";
        assert_eq!(database.fetch_all(sql, vec![]).await.unwrap().len(), 0);
        let served = *assignments(&node).await.keys().next().unwrap();
        node.desk.close(node.desk.supervisor(), domain::ids::EntityId::from_uuid(served)).await.unwrap();
        node.wait_until_assigned(database, waiting).await;
    }
}
