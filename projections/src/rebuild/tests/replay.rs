use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use application::ports::{Clock, EventLog, LogEvent, Principal};
use async_trait::async_trait;
use domain::agent::Role;
use domain::event::AnyEvent;
use infrastructure::database::{Database, Dialect, TableCopies, Transaction};
use infrastructure::sql_args;
use infrastructure::subscription::{HandleError, RunnerStatus, StopReason, Subscriber, Subscriptions};
use infrastructure::system::{RandomIds, SystemClock};

use super::live::{Node, start};
use crate::catalog::{all_view_tables, all_views};
use crate::rebuild::*;
use crate::routing::TABLES;
use crate::tags::TagsProjector;
use crate::testing::{Dump, Time, compare, dump, project, rebuild_into};
use infrastructure::testing::{Fresh, fresh_databases};

const SOON: Duration = Duration::from_secs(20);

pub(super) fn replay(node: &Node, database: &Database) -> Replay {
    let log: Arc<dyn EventLog> = node.desk.log.clone();
    Replay::new(database.clone(), log, Arc::new(SystemClock), Arc::new(RandomIds))
}

pub(super) async fn differences(node: &Node, database: &Database) -> Vec<RowDifference> {
    let mut found = vec![];
    replay(node, database).verify(&[], &(), &mut |difference| found.push(difference)).await.unwrap();
    found
}

pub(super) async fn chats(node: &Node, count: usize) {
    for _ in 0..count {
        node.desk.chat().await;
    }
    node.settle().await;
}

async fn rebuilt_elsewhere(node: &Node) -> Vec<(Fresh, Dump)> {
    let log: Arc<dyn EventLog> = node.desk.log.clone();
    let mut all = vec![];
    for fresh in fresh_databases().await.into_iter().take(1) {
        rebuild_into(&log, &fresh.database).await.unwrap();
        let dump = dump(&fresh.database).await.unwrap();
        all.push((fresh, dump));
    }
    all
}

#[test]
fn every_view_table_has_one_projector() {
    let (views, router) = (all_views(), TABLES);
    let written: Vec<_> = views.iter().flat_map(|view| view.tables()).chain(&router).collect();
    let distinct: BTreeSet<_> = written.iter().copied().collect();
    assert_eq!(written.len(), distinct.len());
    assert_eq!(distinct, all_view_tables().iter().map(|table| &table.name).collect());
}

/// Tables whose rows cannot be had from the log again.
const KEPT: [&str; 13] = [
    "checkpoints",
    "command_log",
    "credentials",
    "events",
    "idempotent_responses",
    "leases",
    "log_head",
    "presence_leases",
    "restores",
    "schema_migrations",
    "sessions",
    "snapshots",
    "stream_tickets",
];

#[tokio::test]
async fn every_table_of_the_schema_is_kept_or_has_a_projector() {
    let views: Vec<_> = all_view_tables().iter().map(|table| table.name).collect();
    for fresh in fresh_databases().await {
        let sql = match fresh.database.dialect() {
            Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
            Dialect::Mysql => {
                "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()"
            }
        };
        let rows = fresh.database.fetch_all(sql, vec![]).await.unwrap();
        let found: BTreeSet<_> = rows.iter().map(|row| row.text("name").unwrap()).collect();
        let known = views.iter().chain(&KEPT).map(|name| (*name).to_owned()).collect();
        assert_eq!(found, known, "a table that is filled from the log belongs to all_view_tables and to a projector");
    }
}

#[tokio::test]
async fn projectors_touch_nothing_but_the_copies() {
    let desk = crate::testing::Desk::open().await;
    let chat = desk.chat().await;
    desk.assign(chat.conversation_id, desk.agents[0]).await.unwrap();
    let agent = Principal::Agent { id: desk.agents[0], role: Role::Agent };
    desk.send(agent, chat.conversation_id).await.unwrap();
    for _ in 0..3 {
        desk.chat().await;
    }
    for fresh in fresh_databases().await {
        let names: Vec<_> = all_view_tables().iter().map(|table| table.name).collect();
        let copies = TableCopies::of(&fresh.database, names.iter().copied());
        assert!(copies.create(&fresh.database).await.unwrap());
        for name in &names {
            let sql = format!("ALTER TABLE {name} RENAME TO hidden_{name}");
            fresh.database.execute(&sql, vec![]).await.unwrap();
        }
        let aside = fresh.database.with_tables(copies.names());
        project(&desk, &aside, &[3]).await.unwrap();
        let dump = dump(&aside).await.unwrap();
        assert_eq!(dump["conversations"].len(), 4);
        assert_eq!(dump["routing_queue"].len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_replaced_while_they_are_read_and_written() {
    for fresh in fresh_databases().await {
        let node = start(&fresh.database).await;
        chats(&node, 30).await;
        let done = AtomicBool::new(false);
        let replay = replay(&node, &fresh.database);
        let replaying = async {
            for _ in 0..10 {
                let rebuilt = replay.run(&[], &()).await.unwrap();
                assert!(rebuilt.position > 0 && rebuilt.tables.len() == all_view_tables().len() - TABLES.len());
            }
            done.store(true, Ordering::Relaxed);
        };
        let reading = async {
            let (mut reads, mut least) = (0, 30);
            while !done.load(Ordering::Relaxed) {
                let sql = "SELECT COUNT(*) AS n FROM conversations";
                let rows = fresh.database.fetch_optional(sql, vec![]).await.unwrap().unwrap().int("n").unwrap();
                assert!(rows >= least, "{rows} rows after {least}");
                least = rows;
                reads += 1;
            }
            reads
        };
        let writing = async {
            let mut writes = 0;
            while !done.load(Ordering::Relaxed) {
                node.desk.chat().await;
                writes += 1;
                SystemClock.sleep(Duration::from_millis(5)).await;
            }
            writes
        };
        let ((), reads, writes) = tokio::join!(replaying, reading, writing);
        assert!(reads > 100 && writes > 10, "{reads} reads, {writes} writes");
        node.settle().await;
        let (_elsewhere, rebuilt) = rebuilt_elsewhere(&node).await.remove(0);
        assert_eq!(compare(&dump(&fresh.database).await.unwrap(), &rebuilt), []);
        assert_eq!(differences(&node, &fresh.database).await, []);
        for runner in &node.runners {
            assert_eq!(runner.status(), RunnerStatus::Running);
            runner.shut_down().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verification_tells_each_difference_and_replay_mends_it() {
    for fresh in fresh_databases().await {
        let node = start(&fresh.database).await;
        chats(&node, 4).await;
        node.desk.set_status(node.desk.agents[0], domain::agent::AgentStatus::Away).await.unwrap();
        node.settle().await;
        assert_eq!(differences(&node, &fresh.database).await, []);
        let sql = [
            "UPDATE agents SET name = 'Mallory' WHERE name = 'Anna'",
            "DELETE FROM group_members WHERE agent_id = (SELECT id FROM agents WHERE name = 'Ben')",
            "INSERT INTO tags (id, name, color, deleted, version, created_position) VALUES ('t', 'x', NULL, 0, 1, 9)",
        ];
        for sql in sql {
            fresh.database.execute(sql, vec![]).await.unwrap();
        }
        let found = differences(&node, &fresh.database).await;
        let agent = found.iter().find(|difference| difference.table == "agents").unwrap();
        assert_eq!(
            (&agent.live, &agent.rebuilt),
            (&serde_json::json!({"name": "Mallory"}), &serde_json::json!({"name": "Anna"}))
        );
        let member = found.iter().find(|difference| difference.table == "group_members").unwrap();
        assert!(member.live.is_null() && member.rebuilt.is_object());
        let tag = found.iter().find(|difference| difference.table == "tags").unwrap();
        assert!(tag.live.is_object() && tag.rebuilt.is_null());
        assert_eq!(found.len(), 3, "{found:#?}");
        replay(&node, &fresh.database).run(&["agents"], &()).await.unwrap();
        let left: Vec<_> = differences(&node, &fresh.database).await.iter().map(|one| one.table).collect();
        assert_eq!(left, ["tags"], "only what was asked for is rebuilt");
        let unknown = replay(&node, &fresh.database).run(&["nothing"], &()).await.unwrap_err();
        assert!(matches!(unknown, RebuildError::Unknown { .. }), "{unknown}");
        let refused = replay(&node, &fresh.database).run(&["routing"], &()).await.unwrap_err();
        assert!(refused.to_string().contains("livechatlog replay --subscriber router"), "{refused}");
    }
}

#[tokio::test]
async fn database_that_does_not_work_is_not_taken_for_another_rebuild() {
    for fresh in fresh_databases().await {
        let node = start(&fresh.database).await;
        let held = replay(&node, &fresh.database).lease().await.unwrap();
        let (log, hurried) = (node.desk.log.clone(), Arc::new(Time::default()));
        let other = Replay::new(fresh.database.clone(), log, hurried, Arc::new(RandomIds));
        assert!(matches!(other.lease().await, Err(RebuildError::Busy)));
        fresh.database.close().await;
        let failed = other.lease().await.map(drop).unwrap_err();
        assert!(matches!(failed, RebuildError::Database(_)), "{failed}");
        drop(held);
    }
}

/// The tags' projector in another version, which writes names in another way; `broken` cannot bear any event.
struct Other {
    version: i64,
    broken: bool,
}

#[async_trait]
impl Subscriber for Other {
    fn name(&self) -> &'static str {
        "tags"
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn handles(&self, event: &AnyEvent) -> bool {
        TagsProjector.handles(event)
    }

    async fn handle(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
        if self.broken && tx.fetch_optional("SELECT id FROM tags WHERE name = 'poison'", vec![]).await?.is_some() {
            let position = events[0].header.position;
            return Err(HandleError::Poison { position, source: "the tables are broken".into() });
        }
        TagsProjector.handle(events, tx).await
    }
}

pub(super) async fn tag(node: &Node, name: &str) {
    use domain::ids::{EntityId, TagId};
    use domain::tag::{Tag, TagCommand};
    let desk = &node.desk;
    let create = TagCommand::Create { name: crate::testing::name(name), color: None, at: desk.bus.now() };
    desk.tell::<Tag>(TagId::from_uuid(desk.bus.new_uuid()), create).await.unwrap();
}

pub(super) async fn tag_names(database: &Database) -> Vec<String> {
    let rows = database.fetch_all("SELECT name FROM tags ORDER BY created_position", vec![]).await.unwrap();
    rows.iter().map(|row| row.text("name").unwrap()).collect()
}

pub(super) fn subscriptions(node: &Node, database: &Database) -> Subscriptions {
    Subscriptions::new(database.clone(), node.desk.log.clone(), Arc::new(SystemClock), Arc::new(RandomIds))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_version_takes_the_tables_over_and_has_them_rebuilt() {
    for fresh in fresh_databases().await {
        let database = &fresh.database;
        let node = start(database).await;
        tag(&node, "first").await;
        node.settle().await;
        for runner in &node.runners {
            runner.shut_down().await;
        }
        // As a program of the version before would have left it.
        database.execute("UPDATE tags SET name = 'as of old'", vec![]).await.unwrap();
        let back = "UPDATE checkpoints SET version = version - 1 WHERE name = 'tags'";
        database.execute(back, vec![]).await.unwrap();
        // The state of another process manager, which no rebuild knows.
        let other = "INSERT INTO checkpoints (name, version, position, chain_hash, epoch, generation, outdated, updated_us) \
                     SELECT 'clerk', 1, position, chain_hash, epoch, generation, 1, updated_us FROM checkpoints \
                     WHERE name = 'tags'";
        database.execute(other, vec![]).await.unwrap();
        let node_of_today = subscriptions(&node, database);
        let handle = node_of_today.start(Arc::new(TagsProjector));
        tag(&node, "second").await;
        let head = node.desk.log.head().await.unwrap().position;
        assert!(handle.wait_for(head, SOON).await, "it goes on at once");
        assert_eq!(tag_names(database).await, ["as of old", "second"], "old rows are read as they are");
        let of_old = subscriptions(&node, database).start(Arc::new(Other { version: 0, broken: false }));
        let outdated = vec![("tags", TagsProjector.version()), ("clerk", 1)];
        tokio::time::timeout(SOON, rebuild_outdated(replay(&node, database), outdated.clone())).await.unwrap();
        assert_eq!(tag_names(database).await, ["first", "second"]);
        tokio::time::timeout(SOON, rebuild_outdated(replay(&node, database), outdated)).await.unwrap();
        if database.dialect() == Dialect::Sqlite {
            let stopped = of_old.statuses().wait_for(RunnerStatus::has_ended).await.unwrap().clone();
            assert_eq!(stopped, RunnerStatus::Stopped(StopReason::Superseded { version: TagsProjector.version() }));
        }
        of_old.shut_down().await;
        handle.shut_down().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_projector_goes_on_when_its_tables_are_rebuilt() {
    for fresh in fresh_databases().await {
        let database = &fresh.database;
        let node = start(database).await;
        node.settle().await;
        node.runner("tags").shut_down().await;
        let insert = "INSERT INTO tags (id, name, color, deleted, version, created_position) VALUES ('t', 'poison', NULL, 0, 1, ?)";
        database.execute(insert, sql_args![1_i64]).await.unwrap();
        let other = Other { version: TagsProjector.version(), broken: true };
        let handle = subscriptions(&node, database).start(Arc::new(other));
        tag(&node, "after").await;
        let stopped = handle.statuses().wait_for(RunnerStatus::has_ended).await.unwrap().clone();
        assert!(matches!(stopped, RunnerStatus::Stopped(StopReason::Poison { .. })), "{stopped:?}");
        replay(&node, database).run(&["tags"], &()).await.unwrap();
        let running = |status: &RunnerStatus| *status == RunnerStatus::Running;
        tokio::time::timeout(SOON, handle.statuses().wait_for(running)).await.unwrap().unwrap();
        let head = node.desk.log.head().await.unwrap().position;
        assert!(handle.wait_for(head, SOON).await);
        assert_eq!(tag_names(database).await, ["after"]);
        handle.shut_down().await;
    }
}
