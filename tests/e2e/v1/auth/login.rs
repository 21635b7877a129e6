//! Logging in.

use std::time::{Duration, Instant};

use domain::ids::AgentId;
use harness::desk::assert_problem;
use harness::{ADMIN_EMAIL, Client, PASSWORD, Process, Reply, Server, TestDatabase, each_database};
use serde_json::{Value, json};

#[tokio::test]
async fn failed_log_in_leaves_no_password_in_the_log() {
    const TYPED: &str = "Typed-by-mistake-7";
    let process = Process::builder().setting("ADMIN_EMAIL", ADMIN_EMAIL).setting("ADMIN_PASSWORD", PASSWORD);
    let process = process.setting("RUST_LOG", "trace").start().await;
    for email in [ADMIN_EMAIL, "nobody-at-all@example.com", TYPED] {
        let reply = process.client().post("/v1/auth/login", &json!({ "email": email, "password": TYPED })).await;
        assert!([400, 401].contains(&reply.status));
        assert!(!reply.body.to_string().contains(TYPED));
    }
    let log = process.log();
    assert!(log.contains("/v1/auth/login"), "the log has the requests");
    for secret in [TYPED, "nobody-at-all@example.com", PASSWORD] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

/// PHP's example of a bcrypt hash.
const BCRYPT: &str = "$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq";

const BCRYPT_PASSWORD: &str = "rasmuslerdorf";

async fn log_in(client: &Client, email: &str, password: &str) -> Reply {
    client.post("/v1/auth/login", &json!({ "email": email, "password": password })).await
}

/// Everything but the request's id.
fn without_instance(mut reply: Reply) -> Value {
    reply.body.as_object_mut().unwrap().remove("instance");
    reply.body
}

async fn median(client: &Client, email: &str) -> Duration {
    let mut times = vec![];
    for _ in 0..11 {
        let started = Instant::now();
        log_in(client, email, "wrong password").await.expect(401);
        times.push(started.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test]
async fn unknown_address_and_wrong_password_get_one_answer_in_the_same_time() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let client = server.client();
    let wrong = log_in(&client, ADMIN_EMAIL, "wrong password").await;
    let unknown = log_in(&client, "nobody@example.com", PASSWORD).await;
    assert_problem(&wrong, 401, "wrong_credentials");
    assert_eq!(without_instance(wrong), without_instance(unknown));
    let (known, unknown) = (median(&client, ADMIN_EMAIL).await, median(&client, "nobody@example.com").await);
    // An answer without hashing is faster by far more than this.
    assert!(known < unknown * 3 && unknown < known * 3, "{known:?} and {unknown:?}");
}

each_database!(bcrypt_hash_is_accepted_once_and_replaced);
async fn bcrypt_hash_is_accepted_once_and_replaced(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.agent(1).await;
    let email = anna.client.get("/v1/auth/me").await.expect(200).text("/email").to_owned();
    let agent_id: AgentId = anna.id.parse().unwrap();
    let (credentials, now) = (&server.app().credentials, server.app().bus.now());
    credentials.save_hash(agent_id, BCRYPT, now).await.unwrap();
    for wrong in [PASSWORD, "rasmuslerdor", "Rasmuslerdorf", "rasmuslerdorf\0", "\0", &"x".repeat(1_000)] {
        assert_problem(&log_in(&server.client(), &email, wrong).await, 401, "wrong_credentials");
        assert_eq!(credentials.find_hash(agent_id).await.unwrap().as_deref(), Some(BCRYPT));
    }
    log_in(&server.client(), &email, BCRYPT_PASSWORD).await.expect(200);
    let hash = credentials.find_hash(agent_id).await.unwrap().unwrap();
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    log_in(&server.client(), &email, BCRYPT_PASSWORD).await.expect(200);
    assert_problem(&log_in(&server.client(), &email, PASSWORD).await, 401, "wrong_credentials");
    assert_eq!(credentials.find_hash(agent_id).await.unwrap(), Some(hash));
}

each_database!(address_is_known_in_any_case_and_the_password_is_not);
async fn address_is_known_in_any_case_and_the_password_is_not(database: TestDatabase) {
    let server = Server::start(&database).await;
    let client = server.client();
    log_in(&client, &ADMIN_EMAIL.to_uppercase(), PASSWORD).await.expect(200);
    assert_problem(&log_in(&client, ADMIN_EMAIL, &PASSWORD.to_uppercase()).await, 401, "wrong_credentials");
    for padded in [format!("{PASSWORD} "), format!(" {PASSWORD}"), format!("{PASSWORD}\0")] {
        assert_problem(&log_in(&client, ADMIN_EMAIL, &padded).await, 401, "wrong_credentials");
    }
}
