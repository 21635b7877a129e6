//! The published rate limits are true.

use std::time::Duration;

use api::config::Settings;
use api::server::proxy_header::ProxyHeader;
use application::ports::{Clock as _, Ids as _};
use futures::{StreamExt as _, stream};
use harness::{ADMIN_EMAIL, Client, DEADLINE, PASSWORD, Reply, Server, TestClock, TestDatabase, eventually, left_out};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::system::{RandomIds, SystemClock};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

const UNKNOWN: &str = "nobody@example.com";

/// A server that believes what this machine says of its clients.
async fn behind_proxy(database: &TestDatabase) -> Server {
    let change = |settings: &mut Settings| {
        settings.rate_limits = true;
        settings.trusted_proxies = "127.0.0.1".parse().unwrap();
    };
    Server::start_with(database, TestClock::new(), change).await
}

/// A client of such a server, from this address.
fn from(server: &Server, address: &str) -> Client {
    server.client().with_header("x-forwarded-for", address)
}

async fn chat(client: &Client) -> Reply {
    client.post("/v1/widget/session", &json!({ "initialMessage": "Hello" })).await
}

async fn log_in(client: &Client, email: &str, password: &str) -> Reply {
    client.post("/v1/auth/login", &json!({ "email": email, "password": password })).await
}

fn number(reply: &Reply, header: &str) -> u64 {
    let text = reply.header(header).unwrap_or_else(|| panic!("no {header} in the answer {}", reply.status));
    text.parse().unwrap()
}

/// The answer refuses, and says whose limit it is and when that ends.
#[track_caller]
fn assert_refused(reply: &Reply, limit: u64) {
    assert_eq!((reply.status, &reply.body["code"]), (429, &json!("rate_limited")), "{}", reply.body);
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    assert_eq!((number(reply, "ratelimit-limit"), number(reply, "ratelimit-remaining")), (limit, 0));
    assert_eq!(number(reply, "retry-after"), number(reply, "ratelimit-reset"));
    assert!(number(reply, "retry-after") > 0);
}

/// Within a minute exactly this number of requests gets the status; five more are refused.
async fn assert_rate(limit: usize, status: u16, request: impl AsyncFn(usize) -> Reply) {
    let first = request(0).await;
    assert_eq!((first.status, number(&first, "ratelimit-limit")), (status, limit as u64), "{}", first.body);
    assert_eq!(number(&first, "ratelimit-remaining"), limit as u64 - 1);
    assert!((1..=60).contains(&number(&first, "ratelimit-reset")));
    let rest = stream::iter(1..limit + 5).map(|n| request(n)).buffer_unordered(16).collect::<Vec<_>>().await;
    let (refused, passed): (Vec<_>, Vec<_>) = rest.into_iter().partition(|reply| reply.status == 429);
    assert!(passed.iter().all(|reply| reply.status == status), "{:?}", passed.iter().find(|r| r.status != status));
    assert_eq!((passed.len() + 1, refused.len()), (limit, 5));
    assert_refused(&request(limit + 5).await, limit as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn address_starts_30_chats_a_minute() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let client = server.client();
    assert_rate(30, 201, async |_| chat(&client).await).await;
    let seconds = number(&chat(&client).await, "retry-after");
    server.clock.advance(Duration::from_secs(seconds));
    chat(&client).await.expect(201);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn returning_visitor_is_not_kept_out_by_the_strangers_of_their_address() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let client = server.client();
    let first = chat(&client).await.expect(201).body;
    for _ in 1..30 {
        chat(&client).await.expect(201);
    }
    assert_refused(&chat(&client).await, 30);
    let with = |token: &Value| json!({ "initialMessage": "Again", "sessionToken": token });
    let reply = client.post("/v1/widget/session", &with(&first["sessionToken"])).await.expect(201);
    assert_eq!((number(&reply, "ratelimit-limit"), &reply.body["conversationId"]), (60, &first["conversationId"]));
    assert_refused(&client.post("/v1/widget/session", &with(&json!("no.such.token"))).await, 30);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn address_has_a_bounded_number_of_open_chats_however_they_are_opened() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with(&database, TestClock::new(), three_chats).await;
    let (greedy, other) = (from(&server, "192.0.2.1"), from(&server, "192.0.2.2"));
    let at_once = futures::future::join_all((0..12).map(|_| chat(&greedy))).await;
    let (begun, refused): (Vec<_>, Vec<_>) = at_once.into_iter().partition(|reply| reply.status == 201);
    assert_eq!(begun.len(), 3);
    assert!(refused.iter().all(|reply| (reply.status, &reply.body["code"]) == (429, &json!("too_many_open_chats"))));
    // A visitor with an open chat goes on with it, and other addresses begin theirs.
    let again = json!({ "initialMessage": "Hello?", "sessionToken": begun[0].body["sessionToken"] });
    greedy.post("/v1/widget/session", &again).await.expect(201);
    chat(&other).await.expect(201);
    // A closed chat makes room for one, begun or reopened.
    let of = |n: usize, what: &str| {
        format!("/v1/conversations/{}/{what}", begun[n].body["conversationId"].as_str().unwrap())
    };
    let visitor = |n: usize| from(&server, "192.0.2.1").with_token(begun[n].body["sessionToken"].as_str().unwrap());
    visitor(0).post(&of(0, "close"), &json!({ "reason": "done" })).await.expect(200);
    chat(&greedy).await.expect(201);
    let reopened = visitor(0).post(&of(0, "reopen"), &json!({})).await;
    assert_eq!((reopened.status, &reopened.body["code"]), (429, &json!("too_many_open_chats")));
    visitor(1).post(&of(1, "close"), &json!({ "reason": "done" })).await.expect(200);
    visitor(0).post(&of(0, "reopen"), &json!({})).await.expect(200);
    assert_eq!(chat(&greedy).await.status, 429);
    // Chats that nobody closes do not keep the address out for good.
    server.clock.advance(Duration::from_secs(3_601));
    chat(&greedy).await.expect(201);
    server.stop().await;
}

/// Lets an address have three open chats, and believes what this machine says of its clients.
fn three_chats(settings: &mut Settings) {
    settings.rate_limits = true;
    settings.limits.chats.open_of_address = 3;
    settings.trusted_proxies = "127.0.0.1".parse().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_chats_of_an_address_are_counted_over_all_nodes() {
    const TEST: &str = "open_chats_of_an_address_are_counted_over_all_nodes";
    let Some(redis) = std::env::var("TEST_REDIS_URL").ok().filter(|url| !url.is_empty()) else {
        return left_out(TEST, "TEST_REDIS_URL");
    };
    let Some(database) = TestDatabase::mysql(TEST).await else { return };
    let node = async || {
        let change = |settings: &mut Settings| {
            three_chats(settings);
            settings.redis_url = Some(redis.clone());
        };
        Server::start_with(&database, TestClock::new(), change).await
    };
    let nodes = [node().await, node().await];
    // The Redis of tests has the addresses of other runs, too.
    let address = std::net::Ipv6Addr::from(RandomIds.new_uuid().as_u128() << 64).to_string();
    let at_once = futures::future::join_all((0..12).map(|n| {
        let client = from(&nodes[n % 2], &address);
        async move { chat(&client).await }
    }));
    let (begun, refused): (Vec<_>, Vec<_>) = at_once.await.into_iter().partition(|reply| reply.status == 201);
    assert_eq!(begun.len(), 3);
    assert!(refused.iter().all(|reply| (reply.status, &reply.body["code"]) == (429, &json!("too_many_open_chats"))));
    // What one node closes makes room on the other, for one chat.
    let visitor = from(&nodes[0], &address).with_token(begun[0].body["sessionToken"].as_str().unwrap());
    let close = format!("/v1/conversations/{}/close", begun[0].body["conversationId"].as_str().unwrap());
    visitor.post(&close, &json!({ "reason": "done" })).await.expect(200);
    chat(&from(&nodes[1], &address)).await.expect(201);
    for node in &nodes {
        assert_eq!(chat(&from(node, &address)).await.status, 429);
    }
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chats_whose_clients_hang_up_count_for_their_address() {
    let database = TestDatabase::sqlite();
    let change = |settings: &mut Settings| {
        three_chats(settings);
        settings.limits.rates.started_chats.times = 100_000;
    };
    let server = Server::start_with(&database, TestClock::new(), change).await;
    let boss = server.admin().await;
    let body = r#"{"initialMessage":"Hello"}"#;
    let request = format!(
        "POST /v1/widget/session HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let begun = async || boss.client.get("/v1/conversations").await.expect(200).body["data"].as_array().unwrap().len();
    // At every moment of a request, some of which are after its chat has begun and before that is noted.
    for round in 0..1_000_u64 {
        let mut connection = TcpStream::connect(server.base().trim_start_matches("http://")).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        SystemClock.sleep(Duration::from_micros(round % 40 * 250)).await;
        drop(connection);
        if round % 40 == 39 && begun().await >= 3 {
            break;
        }
    }
    assert_eq!(chat(&from(&server, "192.0.2.1")).await.status, 429);
    assert_eq!(begun().await, 3);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn visitors_of_one_address_share_a_limit_however_many_tokens_they_have() {
    let database = TestDatabase::sqlite();
    let change = |settings: &mut Settings| {
        settings.rate_limits = true;
        settings.limits.rates.visitors_of_address.times = 40;
    };
    let server = Server::start_with(&database, TestClock::new(), change).await;
    let mut visitors = vec![];
    for _ in 0..4 {
        visitors.push(server.visitor("Hello").await);
    }
    let read = async |n: usize| {
        let vera = &visitors[n % 4];
        vera.client.get(&format!("/v1/conversations/{}", vera.conversation_id)).await
    };
    for n in 0..40 {
        assert_eq!(number(&read(n).await.expect(200), "ratelimit-limit"), 1_200);
    }
    for n in 0..4 {
        assert_refused(&read(n).await, 40);
    }
    server.admin().await.client.get("/v1/auth/me").await.expect(200);
    server.clock.advance(Duration::from_secs(60));
    read(0).await.expect(200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn visitor_sends_60_messages_a_minute_by_either_path() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let (vera, other) = (server.visitor("Hello").await, server.visitor("Hello").await);
    let paths = [
        format!("/v1/threads/{}/events", vera.thread_id),
        format!("/v1/conversations/{}/events", vera.conversation_id),
    ];
    let message = json!({ "content": "Are you there?" });
    assert_rate(60, 201, async |n| vera.client.post(&paths[n % 2], &message).await).await;
    vera.client.get(&paths[0]).await.expect(200);
    other.client.post(&format!("/v1/threads/{}/events", other.thread_id), &message).await.expect(201);
    server.clock.advance(Duration::from_secs(60));
    vera.client.post(&paths[0], &message).await.expect(201);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agent_sends_600_messages_a_minute() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let (anna, vera) = (server.agent(5).await, server.visitor("Hello").await);
    eventually(DEADLINE, "the chat has its agent", async || {
        let chat = vera.conversation().await;
        if chat["assignedAgentId"] == json!(anna.id) { Ok(()) } else { Err(chat) }
    })
    .await;
    let path = format!("/v1/threads/{}/events", vera.thread_id);
    let client = anna.client.with_header("prefer", "respond-async");
    assert_rate(600, 201, async |n| client.post(&path, &json!({ "content": format!("Message {n}") })).await).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agent_makes_1200_requests_a_minute_and_leaves_others_alone() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let (admin, anna) = (server.admin().await, server.agent(1).await);
    assert_rate(1_200, 200, async |_| anna.client.get("/v1/auth/me").await).await;
    assert_refused(&anna.client.get("/v1/agents").await, 1_200);
    admin.client.get("/v1/auth/me").await.expect(200);
    server.client().get("/v1/auth/me").await.expect(401);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn address_without_a_valid_token_makes_1200_requests_a_minute_whatever_they_ask() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let clients = [server.client(), server.client().with_token("no.such.token")];
    assert_rate(1_200, 401, async |n| clients[n % 2].get("/v1/auth/me").await).await;
    assert_refused(&clients[0].get("/v1/nothing").await, 1_200);
    // A probe is not refused, which would look as if the service were dead.
    clients[0].get("/livez").await.expect(200);
    chat(&clients[0]).await.expect(201);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn address_asks_1200_times_a_minute_for_the_health() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let (client, paths) = (server.client(), ["/livez", "/health"]);
    assert_rate(1_200, 200, async |n| client.get(paths[n % 2]).await).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_says_where_the_caller_stands() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let client = server.client();
    let requests = [
        (Method::GET, "/readyz", 200, 1_200),
        (Method::GET, "/v1/nothing", 404, 1_200),
        (Method::GET, "/v1/agents", 401, 1_200),
        (Method::DELETE, "/v1/agents", 405, 1_200),
        (Method::POST, "/v1/widget/session", 400, 1_200),
        (Method::POST, "/v1/auth/login", 400, 60),
    ];
    for (method, path, status, limit) in requests {
        let reply = client.request(method, path, None).await.expect(status);
        assert_eq!(number(&reply, "ratelimit-limit"), limit, "{path}");
        assert!(number(&reply, "ratelimit-remaining") < limit, "{path}");
        assert_eq!(number(&reply, "ratelimit-reset"), 60, "{path}");
        assert_eq!(reply.headers.get_all("ratelimit-limit").iter().count(), 1, "{path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn address_logs_in_60_times_a_minute() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let client = server.client();
    assert_rate(60, 401, async |n| log_in(&client, &format!("nobody{n}@example.com"), "wrong").await).await;
    assert_refused(&log_in(&client, ADMIN_EMAIL, PASSWORD).await, 60);
    server.clock.advance(Duration::from_secs(60));
    log_in(&client, ADMIN_EMAIL, PASSWORD).await.expect(200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_failures_brake_an_account_at_an_address_until_the_window_ends() {
    let database = TestDatabase::sqlite();
    let server = behind_proxy(&database).await;
    let (here, elsewhere) = (from(&server, "198.51.100.1"), from(&server, "198.51.100.2"));
    for _ in 0..5 {
        log_in(&here, ADMIN_EMAIL, "wrong").await.expect(401);
    }
    server.clock.advance(Duration::from_secs(14 * 60));
    // Case does not make it another account.
    for (email, password) in [(ADMIN_EMAIL, "wrong"), (ADMIN_EMAIL, PASSWORD), ("ADMIN@Example.Com", PASSWORD)] {
        let reply = log_in(&here, email, password).await;
        assert_refused(&reply, 5);
        assert!(number(&reply, "retry-after") <= 60, "the window began with the first failure");
    }
    log_in(&elsewhere, ADMIN_EMAIL, PASSWORD).await.expect(200);
    log_in(&here, UNKNOWN, "wrong").await.expect(401);
    let seconds = number(&log_in(&here, ADMIN_EMAIL, PASSWORD).await, "retry-after");
    server.clock.advance(Duration::from_secs(seconds));
    log_in(&here, ADMIN_EMAIL, PASSWORD).await.expect(200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_ins_that_succeed_do_not_count_as_failures() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let client = server.client();
    for _ in 0..4 {
        log_in(&client, ADMIN_EMAIL, "wrong").await.expect(401);
    }
    for _ in 0..8 {
        log_in(&client, ADMIN_EMAIL, PASSWORD).await.expect(200);
    }
    // Nor does what never was one.
    log_in(&client, ADMIN_EMAIL, "").await.expect(400);
    log_in(&client, ADMIN_EMAIL, "wrong").await.expect(401);
    assert_refused(&log_in(&client, ADMIN_EMAIL, "wrong").await, 5);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stolen_token_does_not_help_to_guess_the_password() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let thief = server.admin().await.client;
    let change = async |current: &str| {
        let body = json!({ "currentPassword": current, "newPassword": "another password" });
        thief.post("/v1/auth/password", &body).await
    };
    for number in 0..5 {
        change(&format!("guess {number}")).await.expect(400);
    }
    assert_refused(&change("guess 6").await, 5);
    assert_refused(&change(PASSWORD).await, 5);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_at_once_do_not_slip_through_together() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let client = server.client();
    let guesses = (0..20).map(|n| {
        let client = client.clone();
        async move { log_in(&client, ADMIN_EMAIL, &format!("guess {n}")).await.status }
    });
    let mut statuses = futures::future::join_all(guesses).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [[401; 5].as_slice(), &[429; 15]].concat());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_failures_brake_an_account_from_anywhere() {
    let database = TestDatabase::sqlite();
    let server = behind_proxy(&database).await;
    for place in 1..=4 {
        let client = from(&server, &format!("198.51.100.{place}"));
        for _ in 0..5 {
            log_in(&client, ADMIN_EMAIL, "wrong").await.expect(401);
        }
        // One who is braked already brakes nobody else.
        for _ in 0..10 {
            assert_refused(&log_in(&client, ADMIN_EMAIL, "wrong").await, 5);
        }
    }
    let elsewhere = from(&server, "198.51.100.5");
    assert_refused(&log_in(&elsewhere, ADMIN_EMAIL, PASSWORD).await, 20);
    log_in(&elsewhere, UNKNOWN, PASSWORD).await.expect(401);
    server.clock.advance(Duration::from_secs(15 * 60));
    log_in(&elsewhere, ADMIN_EMAIL, PASSWORD).await.expect(200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundred_failures_brake_an_address_for_all_accounts() {
    let database = TestDatabase::sqlite();
    let server = behind_proxy(&database).await;
    let (here, elsewhere) = (from(&server, "198.51.100.1"), from(&server, "198.51.100.2"));
    for first in [0, 50] {
        let guesses = stream::iter(first..first + 50).map(async |n| {
            log_in(&here, &format!("nobody{n}@example.com"), "wrong").await.expect(401);
        });
        guesses.buffer_unordered(8).collect::<()>().await;
        server.clock.advance(Duration::from_secs(60));
    }
    // They are no failures of the account: it stays free here when the address is.
    for _ in 0..8 {
        assert_refused(&log_in(&here, ADMIN_EMAIL, PASSWORD).await, 100);
    }
    log_in(&elsewhere, ADMIN_EMAIL, PASSWORD).await.expect(200);
    server.clock.advance(Duration::from_secs(13 * 60));
    log_in(&here, ADMIN_EMAIL, PASSWORD).await.expect(200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brake_does_not_tell_whether_an_account_exists() {
    let database = TestDatabase::sqlite();
    let server = behind_proxy(&database).await;
    let mut seen = vec![];
    for (address, email) in [("198.51.100.1", ADMIN_EMAIL), ("198.51.100.2", UNKNOWN)] {
        let client = from(&server, address);
        let mut answers = vec![];
        for _ in 0..8 {
            answers.push(without_what_always_differs(log_in(&client, email, "wrong").await));
        }
        seen.push(answers);
    }
    assert_eq!(seen[0].iter().filter(|(status, ..)| *status == 429).count(), 3);
    assert_eq!(seen[0], seen[1]);
    server.stop().await;
}

/// Status, names of header fields, limit, and the body; the request's id and the seconds left are no news.
fn without_what_always_differs(mut reply: Reply) -> (u16, Vec<String>, u64, Value) {
    let mut names: Vec<_> = reply.headers.keys().map(ToString::to_string).collect();
    names.sort_unstable();
    let limit = number(&reply, "ratelimit-limit");
    reply.body["instance"] = Value::Null;
    let detail = reply.text("/detail").replace(|letter: char| letter.is_ascii_digit(), "");
    reply.body["detail"] = json!(detail);
    (reply.status, names, limit, reply.body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stranger_who_claims_other_addresses_is_not_believed() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    assert_rate(30, 201, async |n| chat(&from(&server, &format!("198.51.100.{n}"))).await).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_a_trusted_proxy_are_limited_each_for_themselves() {
    let database = TestDatabase::sqlite();
    let server = behind_proxy(&database).await;
    // What stands at the left is what the client has claimed.
    assert_rate(30, 201, async |n| chat(&from(&server, &format!("203.0.113.{n}, 198.51.100.1"))).await).await;
    chat(&from(&server, "198.51.100.2")).await.expect(201);
    chat(&server.client()).await.expect(201);
    server.stop().await;
}

#[tokio::test]
async fn thousand_first_answers_of_a_caller_are_kept_a_day() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let (admin, other) = (server.admin().await, server.person("admin", "offline", 1).await);
    let tag = admin.client.post("/v1/tags", &json!({ "name": "urgent" })).await.expect(201);
    let path = format!("/v1/tags/{}", tag.text("/id"));
    let change = async |client: &Client, key: &str| {
        client.with_header("idempotency-key", key).patch(&path, &json!({ "name": "urgent" })).await.expect(200)
    };
    let keys: Vec<_> = (0..1_010).map(|number| format!("key {number}")).collect();
    stream::iter(&keys).for_each_concurrent(8, async |key| drop(change(&admin.client, key).await)).await;
    let kept = async || {
        let open = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
        let rows = open.fetch_all("SELECT COUNT(*) AS kept FROM idempotent_responses", vec![]).await.unwrap();
        rows[0].int("kept").unwrap()
    };
    assert_eq!(kept().await, 1_000);
    // Without a kept answer, a repetition gets one of its own; others have theirs kept.
    for key in &keys[1_000..] {
        assert_eq!(change(&admin.client, key).await.body["name"], "urgent");
    }
    change(&other.client, "key").await;
    assert_eq!(kept().await, 1_001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_limited_when_limits_are_off() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let client = server.client();
    for _ in 0..8 {
        let reply = log_in(&client, ADMIN_EMAIL, "wrong").await.expect(401);
        assert_eq!(reply.header("ratelimit-limit"), None);
    }
    for _ in 0..35 {
        chat(&client).await.expect(201);
    }
    log_in(&client, ADMIN_EMAIL, PASSWORD).await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn only_the_report_that_the_setting_names_is_believed() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with(&database, TestClock::new(), |settings: &mut Settings| {
        settings.rate_limits = true;
        settings.trusted_proxies = "::ffff:127.0.0.0/104".parse().unwrap();
        settings.proxy_header = ProxyHeader::Forwarded;
    })
    .await;
    let left = async |forwarded: &str, listed: &str| {
        let client = server.client().with_header("forwarded", forwarded).with_header("x-forwarded-for", listed);
        number(&client.get("/v1/auth/me").await, "ratelimit-remaining")
    };
    let first = left("for=192.0.2.1", "203.0.113.1").await;
    assert_eq!(left("for=192.0.2.1;proto=https", "203.0.113.2").await, first - 1, "the same client");
    assert_eq!(left("for=192.0.2.2", "203.0.113.1").await, first, "another client");
    assert_eq!(left("for=\"[2001:db8::1]:4711\"", "203.0.113.1").await, first);
    assert_eq!(left("for=192.0.2.9, for=192.0.2.1", "203.0.113.1").await, first - 2, "what the proxy adds counts");
    assert_eq!(left("for=\"192.0.2.9, for=192.0.2.1", "203.0.113.1").await, first - 3, "a client hides nothing");
}
