//! Two processes side by side.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use application::ports::Clock as _;
use domain::conversation::{ConversationEvent, ConversationStatus};
use domain::event::AnyEvent;
use harness::{Client, DEADLINE, History, Standing, TestDatabase, Visitor, eventually, left_out};
use infrastructure::system::SystemClock;
use reqwest::Method;
use serde_json::json;

use crate::people::{admin, begin_chat, hire, program_on, wait_until_served};
use crate::recovery::{RECOVERY, settled};

/// Within this time another node does the work of one that has died.
const TAKEN_OVER: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_share_a_database() {
    let Some(database) = TestDatabase::mysql("two nodes on one database").await else { return };
    two_nodes(&database, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_share_a_database_and_redis() {
    let Some(redis) = std::env::var("TEST_REDIS_URL").ok().filter(|url| !url.is_empty()) else {
        left_out("two nodes on one database and Redis", "TEST_REDIS_URL");
        return;
    };
    let Some(database) = TestDatabase::mysql("two nodes on one database and Redis").await else { return };
    two_nodes(&database, Some(&redis)).await;
}

async fn two_nodes(database: &TestDatabase, redis: Option<&str>) {
    let start = async || {
        // Without a folder of the database's: each node has its own.
        let program = program_on(database).setting("DATA_DIR", "data");
        let program = redis.into_iter().fold(program, |program, url| program.setting("REDIS_URL", url));
        program.start().await
    };
    // The first one leads.
    let mut first = start().await;
    let mut second = start().await;
    let history = History::open(database).await;
    let boss = admin(first.client()).await;
    for _ in 0..21 {
        hire(second.client(), &boss, ("agent", "online", 20)).await;
    }
    let guests = chats_are_each_assigned_once(&history, [first.client(), second.client()]).await;
    messages_are_read_on_the_other_node(&guests, [first.client(), second.client()]).await;
    first.kill9();
    takes_over(second.client(), &guests[0], "the first").await;
    let mut first = start().await;
    second.kill9();
    takes_over(first.client(), &guests[1], "the second").await;
    eventually(RECOVERY, "all is well", async || settled(&history).await).await;
    assert!(first.terminate().await.success());
}

/// 400 in two seconds, on both nodes, with room for all.
async fn chats_are_each_assigned_once(history: &History, clients: [&Client; 2]) -> Vec<Visitor> {
    let starts = (0..400_usize).map(|n| {
        let client = clients[n % 2].clone();
        async move {
            SystemClock.sleep(Duration::from_millis(5 * n as u64)).await;
            begin_chat(&client, &format!("chat {n}")).await
        }
    });
    let guests = futures::future::join_all(starts).await;
    eventually(DEADLINE, "every chat is served", async || {
        let standing = Standing::of(&history.events().await);
        let served = standing.chats().values().filter(|chat| chat.status == ConversationStatus::Active).count();
        if served == 400 { Ok(()) } else { Err(format!("{served} of 400")) }
    })
    .await;
    let mut assignments = BTreeMap::new();
    for event in history.events().await {
        if let AnyEvent::Conversation(ConversationEvent::AgentAssigned { .. }) = event.event {
            *assignments.entry(event.header.aggregate_id).or_insert(0) += 1;
        }
    }
    assert_eq!(assignments.len(), 400);
    assert!(assignments.values().all(|count| *count == 1), "{assignments:?}");
    guests
}

async fn messages_are_read_on_the_other_node(guests: &[Visitor], clients: [&Client; 2]) {
    for (n, guest) in guests.iter().take(60).enumerate() {
        let (here, there) = (clients[n % 2].with_token(guest.token()), clients[(n + 1) % 2].with_token(guest.token()));
        let path = format!("/v1/threads/{}/events", guest.thread_id);
        let text = format!("message {n}");
        // Without waiting for the read models here, so that the other node's promise is what counts.
        let sent =
            here.with_header("prefer", "respond-async").post(&path, &json!({ "content": text })).await.expect(201);
        let demanding = there.with_header("if-position-at-least", &sent.position().to_string());
        let page = demanding.get(&format!("{path}?after={}", sent.position() - 1)).await.expect(200).body;
        assert_eq!(page["data"][0]["content"], json!(text), "{page}");
        let chat = demanding.get(&format!("/v1/conversations/{}", guest.conversation_id)).await.expect(200).body;
        assert_eq!(chat["lastMessageAt"], sent.body["createdAt"]);
    }
}

/// Right after the death of the other node: a new chat is assigned, and what is written is read.
async fn takes_over(client: &Client, guest: &Visitor, dead: &str) {
    let died = Instant::now();
    let new = begin_chat(client, "Is anybody still there?").await;
    wait_until_served(client, &[new], 1, DEADLINE).await;
    let routing = died.elapsed();
    let client = client.with_token(guest.token());
    let path = format!("/v1/threads/{}/events", guest.thread_id);
    let sent = client.post(&path, &json!({ "content": "still here" })).await.expect(201);
    let demanding = client.with_header("if-position-at-least", &sent.position().to_string());
    demanding.get(&path).await.expect(200);
    let projecting = died.elapsed();
    println!("after the death of {dead}: routed after {routing:?}, projected after {projecting:?}");
    assert!(projecting < TAKEN_OVER, "it took {projecting:?} ({routing:?} for routing)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_folder_with_an_embedded_database_serves_one_process() {
    let database = TestDatabase::sqlite();
    let first = program_on(&database).start().await;
    let mut second = program_on(&database).spawn();
    assert!(!second.wait_for_end(DEADLINE).await.success());
    assert!(second.log().contains("another livechatlog uses the data folder"), "{}", second.log());
    assert_eq!(first.client().get("/readyz").await.status, 200);
    drop(first);
    drop(program_on(&database).start().await);
}

/// The log in a file has one writer, wherever that writer keeps its secrets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embedded_database_serves_one_process_whatever_its_data_folder() {
    let database = TestDatabase::sqlite();
    let first = program_on(&database).start().await;
    let mut second = program_on(&database).setting("DATA_DIR", "elsewhere").spawn();
    let ended = eventually(DEADLINE, "it serves or has ended", async || {
        if let Some(status) = second.ended() {
            return Ok(Some(status));
        }
        let ready = second.client().try_request(Method::GET, "/readyz", None).await;
        if ready.is_ok_and(|reply| reply.status == 200) { Ok(None) } else { Err("neither") }
    });
    assert!(ended.await.is_some_and(|status| !status.success()), "two processes serve one file");
    assert!(second.log().contains("another livechatlog uses"), "{}", second.log());
    assert_eq!(first.client().get("/readyz").await.status, 200);
}
