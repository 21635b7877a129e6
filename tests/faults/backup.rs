//! A backup is taken while a company works, and restored into a database of the other kind.

use std::path::Path;
use std::time::Duration;

use application::ports::Clock as _;
use harness::{
    ADMIN_EMAIL, Client, DatabaseKind, History, PASSWORD, Person, Process, ProcessBuilder, TestDatabase, Visitor,
    each_database, eventually,
};
use infrastructure::backup::{BackupFile, KEPT, LEFT_OUT, UnfinishedRestore, find_unfinished};
use infrastructure::database::{Database, DatabaseOptions, Dialect};
use infrastructure::system::SystemClock;
use projections::all_view_tables;
use projections::testing::{compare, dump};
use serde_json::{Value, json};

use crate::load::Load;
use crate::people::{admin, begin_chat, program_on};
use crate::recovery::{RECOVERY, settled};

/// How often a restore is killed.
const ROUNDS: u32 = 8;

const QUESTION: &str = "Is anybody there?";

async fn finished(command: ProcessBuilder) -> (Option<i32>, String) {
    let mut process = command.spawn();
    let status = process.wait_for_end(Duration::from_secs(120)).await;
    (status.code(), process.log())
}

/// The JSON that a command prints when it succeeds.
async fn told(command: ProcessBuilder) -> Value {
    let (code, log) = finished(command.argument("--json")).await;
    assert_eq!(code, Some(0), "{log}");
    serde_json::from_str(log.trim()).unwrap_or_else(|error| panic!("{error}: {log}"))
}

fn command(database: &TestDatabase, words: &[&str]) -> ProcessBuilder {
    words.iter().fold(program_on(database), |program, word| program.argument(*word))
}

/// An empty database of the other kind, where there is one.
async fn of_other_kind(database: &TestDatabase) -> TestDatabase {
    match database.kind() {
        DatabaseKind::Sqlite => match TestDatabase::mysql("moving to MySQL").await {
            Some(other) => other,
            None => TestDatabase::sqlite(),
        },
        DatabaseKind::MySql => TestDatabase::sqlite(),
    }
}

/// Everything that is stored of each event, byte for byte.
async fn stored(database: &Database, last: i64) -> Vec<Vec<Vec<u8>>> {
    const TEXTS: [&str; 11] = [
        "aggregate_type",
        "aggregate_id",
        "event_type",
        "event_version",
        "payload",
        "metadata",
        "event_id",
        "command_id",
        "causation_id",
        "correlation_id",
        "actor",
    ];
    let rows = database
        .fetch_all(&format!("SELECT * FROM events WHERE position <= {last} ORDER BY position"), vec![])
        .await
        .expect("the events can be read");
    let event = |row: &infrastructure::database::Row| {
        let text = |name: &&str| row.opt_text(name).unwrap().map_or(vec![0xff], String::into_bytes);
        let int = |name| row.int(name).unwrap().to_be_bytes().to_vec();
        let bytes = |name| row.opt_bytes(name).unwrap().unwrap_or(vec![0xff]);
        let numbers = ["position", "sequence", "recorded_us"].map(int);
        let proofs = ["salt", "payload_digest", "chain_hash"].map(bytes);
        TEXTS.iter().map(text).chain(numbers).chain(proofs).collect()
    };
    rows.iter().map(event).collect()
}

/// A company at work, in a database of its own.
struct Company {
    process: Process,
    load: Load,
    history: History,
    boss: Person,
}

async fn at_work(database: &TestDatabase, millis: u64) -> Company {
    let process = program_on(database).start().await;
    let boss = admin(process.client()).await;
    let mut load = Load::new(process.client(), &boss).await;
    load.run(process.client(), SystemClock.sleep(Duration::from_millis(millis))).await;
    let history = History::open(database).await;
    Company { process, load, history, boss }
}

async fn say(client: &Client, guest: &Visitor, key: &str) -> (u16, bool, Value) {
    let client = client.with_token(guest.token()).with_header("idempotency-key", key);
    let path = format!("/v1/threads/{}/events", guest.thread_id);
    let reply = client.post(&path, &json!({ "content": QUESTION })).await;
    (reply.status, reply.header("idempotent-replayed") == Some("true"), reply.body)
}

/// How often the visitor has said so; agents may have answered meanwhile.
async fn said(client: &Client, guest: &Visitor) -> usize {
    let path = format!("/v1/threads/{}/events?limit=100", guest.thread_id);
    let reply = client.with_token(guest.token()).get(&path).await.expect(200);
    reply.body["data"].as_array().expect("a list").iter().filter(|event| event["content"] == QUESTION).count()
}

each_database!(backup_under_load_is_restored_into_the_other_kind_of_database);
async fn backup_under_load_is_restored_into_the_other_kind_of_database(database: TestDatabase) {
    let mut company = at_work(&database, 1_500).await;
    let guest = begin_chat(company.process.client(), "Hello").await;
    assert_eq!(say(company.process.client(), &guest, "once").await.0, 201);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("busy.backup");
    let file = file.to_str().expect("a path of UTF-8");
    let client = company.process.client().clone();
    let mut taken = Value::Null;
    let taking = async {
        SystemClock.sleep(Duration::from_millis(300)).await;
        taken = told(command(&database, &["backup", file])).await;
        SystemClock.sleep(Duration::from_millis(300)).await;
    };
    company.load.run(&client, taking).await;
    assert_eq!(company.load.journal.failed(), Vec::<String>::new(), "requests fail during a backup");
    let (position, hash) = (taken["position"].as_i64().expect("a position"), taken["hash"].as_str().expect("a hash"));
    let end = company.history.log.head().await.expect("the head").position;
    assert!(end > position, "others went on writing: {end}, {position}");
    let checked = told(command(&database, &["restore", "--check", file])).await;
    assert_eq!(
        (&checked["whole"], &checked["position"], &checked["hash"]),
        (&json!(true), &json!(position), &json!(hash))
    );

    let other = of_other_kind(&database).await;
    let restored = told(command(&other, &["restore", file])).await;
    assert_eq!((&restored["position"], &restored["fromEpoch"]), (&json!(position), &taken["epoch"]));
    assert_ne!(restored["epoch"], taken["epoch"]);
    let verified = told(command(&other, &["audit", "verify", "--noted", &format!("{position}:{hash}")])).await;
    assert_eq!((&verified["whole"], &verified["epoch"]), (&json!(true), &restored["epoch"]));
    let moved = History::open(&other).await;
    assert!(stored(&moved.database, position).await == stored(&company.history.database, position).await);
    let later = format!("command_log WHERE last_position > {position}");
    assert_eq!(count(&moved.database, &later).await, 0, "all of it is of one moment");
    let (code, log) = finished(command(&other, &["replay", "--verify"])).await;
    assert_eq!(code, Some(0), "{log}");

    let mut server = program_on(&other).start().await;
    let client = server.client();
    assert_eq!(said(client, &guest).await, 1, "the visitor's token still counts");
    let (status, is_replayed, _) = say(client, &guest, "once").await;
    assert_eq!((status, is_replayed), (201, true), "what was said before the backup is not said twice");
    assert_eq!(say(client, &guest, "again").await.0, 201);
    assert_eq!(said(client, &guest).await, 2);
    let old = client.with_token(company.boss.token()).get("/v1/auth/me").await;
    assert_eq!(old.status, 401, "agents have to log in again");
    assert_eq!(admin(client).await.id, company.boss.id);
    eventually(RECOVERY, "all that follows from the log has happened", async || settled(&moved).await).await;
    assert!(server.terminate().await.success());
}

each_database!(quiet_database_moves_there_and_back);
async fn quiet_database_moves_there_and_back(database: TestDatabase) {
    let mut company = at_work(&database, 1_000).await;
    eventually(RECOVERY, "all is done", async || settled(&company.history).await).await;
    assert!(company.process.terminate().await.success());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut from = History::open(&database).await;
    let last = from.log.head().await.expect("the head").position;
    let views = dump(&from.database).await.expect("the read models");
    let events = stored(&from.database, last).await;
    let there = of_other_kind(&database).await;
    let back = match database.kind() {
        DatabaseKind::Sqlite => TestDatabase::sqlite(),
        DatabaseKind::MySql => TestDatabase::mysql("moving back").await.expect("it was there before"),
    };
    for (source, target, name) in [(&database, &there, "there"), (&there, &back, "back")] {
        let file = folder.path().join(name);
        let file = file.to_str().expect("a path of UTF-8");
        told(command(source, &["backup", file])).await;
        told(command(target, &["restore", file])).await;
        from = History::open(target).await;
        assert!(stored(&from.database, last).await == events, "the events are the same bytes");
        let moved = dump(&from.database).await.expect("the read models");
        assert_eq!(compare(&views, &moved), [], "so are the read models");
        for table in KEPT {
            assert_eq!(count(&from.database, table.name).await, count(&company.history.database, table.name).await);
        }
    }
}

each_database!(killed_restore_keeps_servers_out_and_is_begun_anew);
async fn killed_restore_keeps_servers_out_and_is_begun_anew(database: TestDatabase) {
    let mut company = at_work(&database, 2_000).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("backup");
    let file = file.to_str().expect("a path of UTF-8");
    told(command(&database, &["backup", file])).await;
    assert!(company.process.terminate().await.success());
    let target = of_other_kind(&database).await;
    let (mut refused, mut last) = (0, None);
    for round in 0..ROUNDS {
        let mut restore = command(&target, &["restore", file]).spawn();
        let begun = eventually(RECOVERY, "the restore has begun, or ended", async || {
            let found = unfinished(&target).await.filter(|found| Some(*found) != last);
            if found.is_some() || restore.ended().is_some() { Ok(found) } else { Err("neither") }
        })
        .await;
        SystemClock.sleep(Duration::from_millis(u64::from(round * 40))).await;
        if begun.is_none() || restore.ended().is_some() {
            break;
        }
        restore.kill9();
        last = begun;
        if unfinished(&target).await.is_some() {
            for words in [&["serve"][..], &["backup", "/nowhere"], &["audit", "verify"], &["replay"]] {
                let (code, log) = finished(command(&target, words)).await;
                assert_eq!(code, Some(1), "{words:?}: {log}");
                assert!(log.contains("run `livechatlog restore FILE` to its end"), "{words:?}: {log}");
            }
            refused += 1;
        }
    }
    assert!(refused > 0, "no restore was killed in its middle");
    if unfinished(&target).await.is_some() {
        told(command(&target, &["restore", file])).await;
    }
    let (code, log) = finished(command(&target, &["replay", "--verify"])).await;
    assert_eq!(code, Some(0), "{log}");
    let last = BackupFile::open(Path::new(file)).expect("a backup").opening().position;
    let restored = History::open(&target).await;
    assert!(stored(&restored.database, last).await == stored(&company.history.database, last).await);
    let server = program_on(&target).start().await;
    let login = json!({ "email": ADMIN_EMAIL, "password": PASSWORD });
    server.client().post("/v1/auth/login", &login).await.expect(200);
}

each_database!(what_is_there_is_never_overwritten);
async fn what_is_there_is_never_overwritten(database: TestDatabase) {
    let company = at_work(&database, 200).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("backup");
    let file = file.to_str().expect("a path of UTF-8");
    told(command(&database, &["backup", file])).await;
    let first = std::fs::read(file).expect("the backup");
    let (code, log) = finished(command(&database, &["backup", file])).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("--force") && std::fs::read(file).expect("the backup") == first, "{log}");
    told(command(&database, &["backup", "--force", file])).await;
    let used = of_other_kind(&database).await;
    assert!(program_on(&used).start().await.terminate().await.success());
    for target in [&used, &database] {
        let before = head(target).await;
        let (code, log) = finished(command(target, &["restore", file])).await;
        assert_eq!(code, Some(1), "{log}");
        assert!(log.contains("not empty") || log.contains("another livechatlog uses"), "{log}");
        assert_eq!(head(target).await.1, before.1);
    }
    let mut changed = first;
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let bad = folder.path().join("changed");
    std::fs::write(&bad, &changed).expect("a file");
    let empty = TestDatabase::sqlite();
    for words in [&["restore", "--check"][..], &["restore"]] {
        let (code, log) = finished(command(&empty, words).argument(bad.to_str().expect("a path"))).await;
        assert_eq!(code, Some(1), "{log}");
        assert!(log.contains("checksum"), "{log}");
    }
    assert!(!empty.folder().join("livechatlog.db").exists(), "nothing was begun");
    drop(company);
}

async fn count(database: &Database, table: &str) -> i64 {
    let row = database.fetch_optional(&format!("SELECT COUNT(*) AS rows_of_it FROM {table}"), vec![]).await;
    row.expect("a table").expect("a row").int("rows_of_it").expect("a number")
}

async fn head(database: &TestDatabase) -> (i64, uuid::Uuid) {
    let head = History::open(database).await.log.head().await.expect("the head");
    (head.position, head.epoch)
}

/// The restore that is under way, or has broken off. None also where the file is just being made.
async fn unfinished(target: &TestDatabase) -> Option<UnfinishedRestore> {
    if Database::file(target.url()).is_some_and(|file| !file.exists()) {
        return None;
    }
    let database = Database::connect(target.url(), DatabaseOptions::default()).await.ok()?;
    find_unfinished(&database).await.ok().flatten()
}

/// A node whose database is dropped and restored under its feet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_on_an_exchanged_database_stops_and_says_so() {
    let Some(database) = TestDatabase::mysql("exchanging a database").await else { return };
    let company = at_work(&database, 500).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("backup");
    let file = file.to_str().expect("a path of UTF-8");
    told(command(&database, &["backup", file])).await;
    let guest = begin_chat(company.process.client(), "Hello").await;
    let mut session = company.history.database.log_session().await.expect("a session");
    let name = database.url().rsplit('/').next().expect("a name");
    session.run(&format!("DROP DATABASE {name}; CREATE DATABASE {name}")).await.expect("an empty database");
    told(command(&database, &["restore", file])).await;
    let restored = head(&database).await;
    let client = company.process.client();
    let readiness = eventually(RECOVERY, "every part says that it has stopped", async || {
        let reply = client.get("/readyz").await;
        let wrong = |check: &&Value| check["ok"] == false;
        let checks = reply.body["checks"].as_array().cloned().unwrap_or_default();
        let stopped = checks.iter().filter(wrong).count();
        if reply.status == 503 && stopped >= 8 { Ok(reply.body) } else { Err(reply.body) }
    })
    .await;
    assert!(readiness.to_string().contains("restart this node"), "{readiness}");
    for _ in 0..5 {
        assert_ne!(say(client, &guest, "lost").await.0, 201, "nothing of the old history is added to the new one");
    }
    assert_eq!(client.get("/livez").await.status, 503, "a restart helps");
    // Sessions are not in a backup: where they are looked up first, the token is refused.
    let read = company.boss.client.get("/v1/auth/me").await.status;
    assert!(matches!(read, 401 | 503), "a read was answered with {read}");
    assert_eq!(head(&database).await, restored);
    let log = company.process.log();
    assert!(log.contains("the event log was replaced by another one"), "{log}");
    let fresh = program_on(&database).start().await;
    assert_eq!(admin(fresh.client()).await.id, company.boss.id);
}

/// A new table has to be named: in a backup, filled from the log, or left out for a reason.
#[tokio::test]
async fn every_table_is_in_a_backup_or_there_is_a_reason() {
    for database in harness::databases().await {
        let database = Database::connect(database.url(), DatabaseOptions::default()).await.expect("a database");
        database.migrate().await.expect("a schema");
        let tables = match database.dialect() {
            Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
            Dialect::Mysql => {
                "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()"
            }
        };
        let rows = database.fetch_all(tables, vec![]).await.expect("the tables");
        let mut found: Vec<_> = rows.iter().map(|row| row.text("name").expect("a name")).collect();
        let mut known: Vec<_> = ["events", "log_head"].map(str::to_owned).to_vec();
        known.extend(KEPT.iter().map(|table| table.name.to_owned()));
        known.extend(LEFT_OUT.iter().map(|(name, _)| (*name).to_owned()));
        known.extend(all_view_tables().iter().map(|table| table.name.to_owned()));
        found.sort();
        known.sort();
        assert_eq!(found, known, "each table is named once, in KEPT, LEFT_OUT or all_view_tables");
    }
}
