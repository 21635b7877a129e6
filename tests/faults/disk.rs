//! The disk of an embedded database is full, and then it is not.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::{Client, DEADLINE, History, TestDatabase, Visitor, eventually, left_out_without};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::journal::{Journal, Write};
use crate::outages::find_check;
use crate::people::{admin, begin_chat, hire, program_on, wait_until_served};
use crate::recovery::{RECOVERY, assert_clean, settled};

/// How large the disk is, and how much of that is set free later.
const MEGABYTES: usize = 24;
const BALLAST: usize = 10 << 20;

/// How much is written until the disk is full, at most; each message takes its length several times.
const MOST_MESSAGES: usize = 4_000;

const LANES: usize = 8;

/// Each of the eight projectors tries a few times at once, and then every other second; for a minute at most.
const MOST_TRIES: usize = 400;

/// A write is given up after five seconds; what comes after it waits for that, too.
const TOLD: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disk_is_told_loses_nothing_and_is_recovered_from() {
    let Some(disk) = SmallDisk::mount("full_disk_is_told_loses_nothing_and_is_recovered_from") else { return };
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; BALLAST]).expect("there is room for it");
    let database = TestDatabase::sqlite_in(disk.path());
    let mut process = program_on(&database).start().await;
    let client = process.client().clone();
    let boss = admin(&client).await;
    hire(&client, &boss, ("agent", "online", 20)).await;
    let mut guests = vec![];
    for _ in 0..LANES {
        guests.push(begin_chat(&client, "Hello").await);
    }
    wait_until_served(&client, &guests, LANES, RECOVERY).await;

    let writer = Writer { client: client.clone(), guests, journal: Journal::default() };
    let mut refused = writer.until_refused(10 * 1024).await;
    let full = Instant::now();
    // Where long messages do not fit, short ones and a probe may.
    refused.extend(writer.until_refused(1).await);
    let told = eventually(2 * DEADLINE, "no write is taken any more", async || {
        refused.extend(writer.send_all(1).await);
        let ready = client.get("/readyz").await;
        if ready.status == 503 { Ok(ready.body) } else { Err(ready.body) }
    })
    .await;
    let database_check = find_check(&told, "database");
    assert_eq!((&database_check["ok"], &database_check["required"]), (&json!(false), &json!(true)), "{told}");
    let reason = database_check["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("does not take writes: ") && reason.contains("SQLite code 13"), "{told}");
    let waited = writer.journal.take_longest_wait();
    assert!(waited < TOLD, "somebody waited {waited:?} for an answer");
    reads_work(&client, boss.token(), &writer.guests[0]).await;
    client.get("/livez").await.expect(200);
    // What is tried again and again must not fill the disk with its log.
    let (tries, since) = (process.log().matches("subscriber is interrupted").count(), full.elapsed());
    assert!(tries < MOST_TRIES, "{tries} tries to project in {since:?}");
    println!("{tries} tries to project in {since:?}");

    let freed = Instant::now();
    std::fs::remove_file(&ballast).expect("the ballast can be thrown off");
    for write in &refused {
        eventually(RECOVERY, "writes are taken again", async || {
            writer.journal.send(&client, write).await.map(|reply| drop(reply.expect(201))).ok_or("not yet")
        })
        .await;
    }
    eventually(RECOVERY, "it is ready", async || {
        let ready = client.get("/readyz").await;
        if ready.status == 200 { Ok(()) } else { Err(ready.body) }
    })
    .await;
    println!("well again {:?} after there was room", freed.elapsed());
    assert!(process.ended().is_none(), "the program has ended");
    let history = History::open(&database).await;
    writer.journal.check(&history.events().await);
    eventually(RECOVERY, "the read models are what the log says", async || settled(&history).await).await;
    let (acknowledged, unknown) = writer.journal.counts();
    println!("{acknowledged} messages acknowledged, {} of them after they had been refused", refused.len());
    assert_eq!(unknown, 0);
    assert!(process.terminate().await.success());
    assert_clean(&process);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_on_a_read_only_disk_is_read_and_not_served() {
    let Some(disk) = SmallDisk::mount("store_on_a_read_only_disk_is_read_and_not_served") else { return };
    let database = TestDatabase::sqlite_in(disk.path());
    let mut process = program_on(&database).start().await;
    begin_chat(process.client(), "Hello").await;
    assert!(process.terminate().await.success());
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = |name: &str| elsewhere.path().join(name).display().to_string();
    let run = |words: &[&str]| harness::run_on(&database, words, &[]);
    assert!(run(&["audit", "export", "--output", &file("before")]).status.success(), "it makes the key");
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(disk.path()).status();
    assert!(remounted.is_ok_and(|status| status.success()), "the disk can be made read-only");
    let commands: [&[&str]; 4] = [
        &["audit", "verify"],
        &["backup", &file("backup")],
        &["audit", "export", "--output", &file("after")],
        &["check", "--invariants"],
    ];
    for words in commands {
        let output = run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(std::fs::read(file("before")).unwrap().len(), std::fs::read(file("after")).unwrap().len());
    let told = String::from_utf8_lossy(&run(&["check"]).stdout).into_owned();
    assert!(told.contains("is not writable"), "{told}");
    let mut serving = program_on(&database).spawn();
    assert!(!serving.wait_for_end(DEADLINE).await.success());
    assert!(serving.log().contains(&disk.path().display().to_string()), "{}", serving.log());
}

async fn reads_work(client: &Client, boss: &str, guest: &Visitor) {
    let (boss, visitor) = (client.with_token(boss), client.with_token(guest.token()));
    boss.get("/v1/conversations").await.expect(200);
    boss.get("/v1/agents").await.expect(200);
    boss.get("/v1/audit?limit=10").await.expect(200);
    visitor.get(&format!("/v1/conversations/{}", guest.conversation_id)).await.expect(200);
    let page = visitor.get(&format!("/v1/threads/{}/events", guest.thread_id)).await.expect(200).body;
    assert!(!page["data"].as_array().expect("a list").is_empty());
}

/// Visitors who write much, each in a chat of their own.
struct Writer {
    client: Client,
    guests: Vec<Visitor>,
    journal: Journal,
}

impl Writer {
    /// Sends messages until all that are sent at once are refused, and gives back those that were.
    async fn until_refused(&self, length: usize) -> Vec<Write> {
        let mut refused = vec![];
        for _ in 0..MOST_MESSAGES / LANES {
            let now = self.send_all(length).await;
            let all = now.len() == LANES;
            refused.extend(now);
            if all {
                return refused;
            }
        }
        panic!("the disk is not full after {MOST_MESSAGES} messages of {length} bytes");
    }

    /// Sends several at once, and gives back those that were refused.
    async fn send_all(&self, length: usize) -> Vec<Write> {
        let sends = self.guests.iter().map(async |guest| {
            let write = message(guest, length);
            // Read models may be late: what is asked here is whether the log takes it.
            let client = self.client.with_header("prefer", "respond-async");
            self.journal.send(&client, &write).await.is_none().then_some(write)
        });
        futures::future::join_all(sends).await.into_iter().flatten().collect()
    }
}

fn message(guest: &Visitor, length: usize) -> Write {
    let path = format!("/v1/threads/{}/events", guest.thread_id);
    let mut write = Write::new(Method::POST, path, Value::Null, Some(guest.token()));
    write.body = json!({ "content": "x".repeat(length), "clientEventId": write.request.to_string() });
    write
}

/// A file system in memory, of a fixed size. It is unmounted when this is dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// None: nothing can be mounted here, and it is said which test is left out.
    fn mount(test: &str) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("livechatlog-").tempdir().expect("a temporary folder can be made");
        let size = format!("size={MEGABYTES}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "livechatlog"]).arg(folder.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        left_out_without(test, "the right to mount a file system");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Even if a process still has a file open there.
        let unmounted = Command::new("umount").arg("--lazy").arg(self.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} could not be unmounted", self.path().display());
        }
    }
}
