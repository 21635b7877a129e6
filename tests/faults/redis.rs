//! Redis goes away, forgets and falls silent under two nodes.

use std::time::{Duration, Instant};

use application::ports::Ids as _;
use harness::{Client, DEADLINE, History, PASSWORD, Process, TestDatabase, Visitor, eventually};
use infrastructure::system::RandomIds;
use reqwest::Method;
use serde_json::json;

use crate::journal::{Journal, Write};
use crate::outages::find_check;
use crate::people::{admin, begin_chat, hire, program_on, wait_until_served};
use crate::recovery::{RECOVERY, assert_clean, settled};
use crate::servers::{Redis, RedisOverTls};

/// Nodes look for each other's events every 50 ms, and for each other's read models every 250 ms at least.
const POLLED: Duration = Duration::from_secs(2);

/// How long rate limits wait for Redis; see "Limits" in docs/api.md. Then they do without it for a second.
const PATIENCE: Duration = Duration::from_millis(100);

/// A request asks for two or three rates, and the machine may be busy.
const SLOWEST: Duration = Duration::from_secs(1);

/// Failed log-ins of an account from one address, as docs/api.md publishes it.
const FAILED_LOG_INS: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_killed_emptied_and_held_and_nothing_is_lost() {
    const TEST: &str = "redis_is_killed_emptied_and_held_and_nothing_is_lost";
    let Some(database) = TestDatabase::mysql(TEST).await else { return };
    let Some(mut redis) = Redis::start(TEST).await else { return };
    let start = async || {
        let node = program_on(&database).setting("DATA_DIR", "data").setting("REDIS_URL", redis.url());
        node.setting("RATE_LIMITS", "on").start().await
    };
    let nodes = Nodes { all: [start().await, start().await], journal: Journal::default() };
    let guest = nodes.open().await;
    nodes.wait_until_redis_is(true).await;
    assert_eq!(nodes.brake_log_ins().await, [true, true], "with Redis");
    println!("with Redis, a message is read on the other node after {:?} at most", nodes.pass_messages(&guest).await);

    redis.kill9();
    println!("without Redis after {:?} at most", nodes.pass_messages(&guest).await);
    nodes.wait_until_redis_is(false).await;
    assert_eq!(nodes.brake_log_ins().await, [true, false], "each counts for itself");
    redis.restart().await;
    println!("connected again after {:?}", nodes.wait_until_redis_is(true).await);
    eventually(DEADLINE, "rates are counted together again", async || {
        // Those before and after the change to Redis are not counted together.
        let brakes = nodes.brake_log_ins().await;
        if brakes == [true, true] { Ok(()) } else { Err(format!("{brakes:?}")) }
    })
    .await;

    redis.flush_all().await;
    println!("emptied, after {:?} at most", nodes.pass_messages(&guest).await);
    nodes.wait_until_redis_is(true).await;

    redis.signal("STOP");
    let slowest = nodes.slowest_of_many(&guest).await;
    println!("held, the slowest of many requests takes {slowest:?} (patience {PATIENCE:?})");
    assert!(slowest < SLOWEST, "a request took {slowest:?}");
    println!("held, after {:?} at most", nodes.pass_messages(&guest).await);
    nodes.wait_until_redis_is(false).await;
    redis.signal("CONT");
    println!("connected again after {:?}", nodes.wait_until_redis_is(true).await);
    nodes.pass_messages(&guest).await;

    let history = History::open(&database).await;
    nodes.journal.check(&history.events().await);
    assert_eq!(nodes.journal.failed(), Vec::<String>::new(), "no request fails for want of Redis");
    eventually(RECOVERY, "all is well", async || settled(&history).await).await;
    for mut node in nodes.all {
        assert!(node.terminate().await.success());
        assert_clean(&node);
    }
}

/// Two nodes, and what they were asked.
struct Nodes {
    all: [Process; 2],
    journal: Journal,
}

impl Nodes {
    fn client(&self, index: usize) -> &Client {
        self.all[index % 2].client()
    }

    /// An agent, and a chat with them.
    async fn open(&self) -> Visitor {
        let boss = admin(self.client(0)).await;
        hire(self.client(1), &boss, ("agent", "online", 20)).await;
        let guest = begin_chat(self.client(0), "Hello").await;
        wait_until_served(self.client(1), std::slice::from_ref(&guest), 1, RECOVERY).await;
        guest
    }

    /// Messages on each node are read on the other. Returns the longest time from one's answer until it was read.
    async fn pass_messages(&self, guest: &Visitor) -> Duration {
        let path = format!("/v1/threads/{}/events", guest.thread_id);
        let mut longest = Duration::ZERO;
        for n in 0..10 {
            let mut write = Write::new(Method::POST, path.clone(), json!({}), Some(guest.token()));
            write.body = json!({ "content": format!("message {}", write.request) });
            // The read models of the sending node are not what counts.
            let here = self.client(n).with_header("prefer", "respond-async");
            let sent = self.journal.send(&here, &write).await.expect("an answer").expect(201);
            let (since, there) = (Instant::now(), self.client(n + 1).with_token(guest.token()));
            let demanding = there.with_header("if-position-at-least", &sent.position().to_string());
            let page = demanding.get(&format!("{path}?after={}", sent.position() - 1)).await.expect(200).body;
            assert_eq!(page["data"][0]["content"], write.body["content"], "{page}");
            longest = longest.max(since.elapsed());
        }
        assert!(longest < POLLED, "a message was read on the other node after {longest:?}");
        longest
    }

    /// The time of the slowest of many requests, one after the other.
    async fn slowest_of_many(&self, guest: &Visitor) -> Duration {
        let path = format!("/v1/conversations/{}", guest.conversation_id);
        let mut slowest = Duration::ZERO;
        for n in 0..60 {
            let asked = Instant::now();
            self.client(n).with_token(guest.token()).get(&path).await.expect(200);
            slowest = slowest.max(asked.elapsed());
        }
        slowest
    }

    /// Waits until both nodes say how it is; they are ready all the same.
    async fn wait_until_redis_is(&self, well: bool) -> Duration {
        let since = Instant::now();
        for node in &self.all {
            eventually(DEADLINE, "the probe reports the state of Redis", async || {
                let ready = node.client().get("/readyz").await.expect(200).body;
                let check = find_check(&ready, "redis");
                assert_eq!(check["required"], false, "{ready}");
                assert_eq!(check["ok"] == true, check["reason"].is_null(), "{ready}");
                if check["ok"] == well { Ok(()) } else { Err(ready) }
            })
            .await;
        }
        since.elapsed()
    }

    /// Whether a node refuses more log-ins after too many of them have failed on it, and whether the other one does.
    async fn brake_log_ins(&self) -> [bool; 2] {
        let email = format!("{}@example.com", RandomIds.new_uuid().simple());
        let body = json!({ "email": email, "password": format!("not {PASSWORD}") });
        for _ in 0..FAILED_LOG_INS {
            self.client(0).post("/v1/auth/login", &body).await.expect(401);
        }
        let mut brakes = [false; 2];
        for (node, brake) in brakes.iter_mut().enumerate() {
            let reply = self.client(node).post("/v1/auth/login", &body).await;
            assert!([401, 429].contains(&reply.status), "{reply:?}");
            *brake = reply.status == 429;
        }
        brakes
    }
}

#[tokio::test]
async fn redis_is_reached_by_tls_with_a_private_authority() {
    let Some(redis) = RedisOverTls::start("redis_is_reached_by_tls_with_a_private_authority").await else { return };
    let database = TestDatabase::sqlite();
    let authority = redis.authority.display().to_string();
    let check = |settings: &[(&str, &str)]| {
        let output = harness::run_on(&database, &["check", "--json"], settings);
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        told["findings"].as_array().unwrap().iter().find(|one| one["subject"] == "Redis").cloned().unwrap()
    };
    let trusted = check(&[("REDIS_URL", &redis.url), ("SSL_CERT_FILE", &authority)]);
    assert_eq!(trusted["status"], "ok", "{trusted}");
    let stranger = check(&[("REDIS_URL", &redis.url)]);
    assert_eq!(stranger["status"], "failed", "{stranger}");
    let plain = check(&[("REDIS_URL", &redis.url.replace("rediss:", "redis:"))]);
    assert_eq!(plain["status"], "failed", "{plain}");
    let settings = Process::on(&database).setting("REDIS_URL", &redis.url).setting("SSL_CERT_FILE", &authority);
    let process = settings.setting("RATE_LIMITS", "on").start().await;
    let connected = |ready: &serde_json::Value| {
        ready["checks"].as_array().unwrap().iter().any(|check| check["name"] == "redis" && check["ok"] == true)
    };
    eventually(DEADLINE, "it is connected", async || {
        let ready = process.client().get("/readyz").await.body;
        if connected(&ready) { Ok(()) } else { Err(ready) }
    })
    .await;
}
