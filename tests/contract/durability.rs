//! What is on SQLite's disk when a store answers: everything but what is soon written again or can be made again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{CredentialStore as _, PresenceStore as _, Session, SessionStore as _};
use application::process_managers::router::{AttemptStore as _, FailedAttempt};
use domain::ids::{AgentId, CommandId, ConversationId, EntityId as _, SessionId};
use domain::time::Timestamp;
use harness::TestDatabase;
use infrastructure::auth::{SqlCredentialStore, SqlSessionStore};
use infrastructure::database::Database;
use infrastructure::lease::Lease;
use infrastructure::presence::SqlPresenceStore;
use infrastructure::responses::{SqlResponseStore, StoredResponse};
use infrastructure::sql_args;
use infrastructure::system::{RandomIds, SystemClock};
use infrastructure::write_probe::WriteProbe;
use projections::routing::SqlAttemptStore;

use crate::support::Node;

const FULL: i64 = 2;
const NORMAL: i64 = 1;

const FLUSHED: [&str; 4] = ["credentials", "idempotent_responses", "routing_queue", "sessions"];
const UNFLUSHED: [&str; 2] = ["leases", "presence_leases"];

const AT: Timestamp = Timestamp::from_micros(1);

/// Notes with each row that is written whether its commit waits for the disk.
async fn watch(database: &Database) {
    database.execute("CREATE TABLE flushes (name TEXT, synchronous INTEGER)", vec![]).await.unwrap();
    for table in FLUSHED.into_iter().chain(UNFLUSHED) {
        for change in ["INSERT", "UPDATE", "DELETE"] {
            let trigger = format!(
                "CREATE TRIGGER {table}_{change} AFTER {change} ON {table} BEGIN \
                 INSERT INTO flushes SELECT '{table}', synchronous FROM pragma_synchronous; END"
            );
            database.execute(&trigger, vec![]).await.unwrap();
        }
    }
}

async fn seen(database: &Database) -> BTreeSet<(String, i64)> {
    let rows = database.fetch_all("SELECT name, synchronous FROM flushes", vec![]).await.unwrap();
    rows.iter().map(|row| (row.text("name").unwrap(), row.int("synchronous").unwrap())).collect()
}

async fn log_in_and_out(database: &Database) {
    let (agent_id, id) = (AgentId::default(), SessionId::default());
    let sessions = SqlSessionStore::new(database.clone());
    let session = Session { id, agent_id, refresh_hash: [1; 32], expires_at: AT };
    sessions.begin(&session).await.unwrap();
    assert!(sessions.rotate(&session, &Session { refresh_hash: [2; 32], ..session }).await.unwrap());
    sessions.end(id, AT).await.unwrap();
    sessions.end_others(agent_id, None, AT).await.unwrap();
    let credentials = SqlCredentialStore::new(database.clone());
    credentials.save_hash(agent_id, "first", AT).await.unwrap();
    credentials.replace_hash(agent_id, "first", "second", AT).await.unwrap();
    credentials.remove_hash(agent_id).await.unwrap();
}

async fn answer(database: &Database) {
    let response = StoredResponse { request_digest: [1; 32], status: 200, body: "{}".into() };
    let responses = SqlResponseStore::new(database.clone(), Arc::new(SystemClock));
    responses.save(CommandId::default(), &response, None).await.unwrap();
}

async fn fail_to_route(database: &Database) {
    let waiting = "INSERT INTO routing_queue (conversation_id, group_id, arrival, waiting_since, since_us, attempts) \
                   VALUES (?, '', 1, 1, 1, 0)";
    let conversation_id = ConversationId::default();
    database.execute(waiting, sql_args![conversation_id.uuid()]).await.unwrap();
    let attempts = SqlAttemptStore::new(database.clone(), Arc::new(SystemClock), Arc::new(RandomIds));
    let (attempts_so_far, reason) = (1, "full".to_owned());
    let failure =
        FailedAttempt { conversation_id, waiting_since: 1, attempts: attempts_so_far, next_attempt_at: AT, reason };
    attempts.save_failure(&failure).await.unwrap();
}

async fn stay(database: &Database) {
    let presence = SqlPresenceStore::new(database.clone());
    for _ in 0..2 {
        presence.keep(AgentId::default(), SessionId::default(), AT).await.unwrap();
    }
    let lease = Lease::take_among_processes(database, "work", "a", Arc::new(SystemClock)).await.unwrap().unwrap();
    tokio::time::timeout(Duration::from_secs(5), lease.release()).await.unwrap();
    assert_eq!(WriteProbe::new(database.clone()).find_fault(&SystemClock).await, None);
}

#[tokio::test]
async fn what_a_store_acknowledges_is_on_the_disk_unless_it_is_soon_written_again() {
    let file = TestDatabase::sqlite();
    let node = Node::start(&file).await;
    watch(&node.database).await;
    log_in_and_out(&node.database).await;
    answer(&node.database).await;
    fail_to_route(&node.database).await;
    stay(&node.database).await;
    let flushed = FLUSHED.map(|name| (name.to_owned(), FULL));
    let unflushed = UNFLUSHED.map(|name| (name.to_owned(), NORMAL));
    assert_eq!(seen(&node.database).await, flushed.into_iter().chain(unflushed).collect());
}
