//! Refusals that come before the end of a request's body, and requests without one host.

use std::time::Duration;

use harness::{Desk, Server, TestDatabase, raw_http};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(15);

/// Sends the head and all of a long body, and only then reads, as many clients do.
async fn send_all_then_read(base: &str, head: &str, bytes: usize) -> String {
    let mut stream = TcpStream::connect(base.trim_start_matches("http://")).await.unwrap();
    stream.write_all(format!("{head}Content-Length: {bytes}\r\n\r\n").as_bytes()).await.unwrap();
    let piece = vec![b' '; 64 << 10];
    for _ in 0..bytes / piece.len() {
        if let Err(error) = stream.write_all(&piece).await {
            return format!("the body was not taken: {error}");
        }
    }
    let mut answer = vec![];
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    format!("{}{}", String::from_utf8_lossy(&answer), if matches!(read, Ok(Ok(_))) { "" } else { "… cut off" })
}

#[tokio::test]
async fn refusal_reaches_a_client_that_is_still_sending_its_body() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let desk = Desk::open(server.client()).await;
    let (visitor, agent) = (desk.visitor.client.token().unwrap(), desk.agent.client.token().unwrap());
    let json = "Content-Type: application/json\r\n";
    for (line, headers, status) in [
        ("POST /v1/agents", json.to_owned(), 401),
        ("POST /v1/tags", format!("{json}Authorization: Bearer {visitor}\r\n"), 403),
        ("POST /v1/agents", format!("{json}Authorization: Bearer {agent}\r\n"), 403),
        ("POST /v1/nothing", json.to_owned(), 404),
        ("PUT /v1/widget/session", json.to_owned(), 405),
        ("POST /v1/widget/session", json.to_owned(), 413),
        ("POST /v1/auth/login", json.to_owned(), 413),
        ("POST /v1/widget/session", "Content-Type: text/plain\r\n".to_owned(), 413),
        ("POST /v1/widget/session", format!("{json}Idempotency-Key: \r\n"), 400),
        ("POST /livez", json.to_owned(), 405),
    ] {
        for bytes in [192 << 10, 5 << 20] {
            let head = format!("{line} HTTP/1.1\r\nHost: test\r\n{headers}");
            let answer = send_all_then_read(server.base(), &head, bytes).await;
            let is_whole = answer.contains("application/problem+json") && answer.ends_with('}');
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && is_whole, "{line}, {bytes}: {answer}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn expected_continue_is_not_sent_for_a_body_that_is_refused() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let expect = "Host: test\r\nExpect: 100-continue\r\n";
    for (rest, status) in
        [("Content-Type: application/json\r\nContent-Length: 999999\r\n", 413), ("Content-Length: 131073\r\n", 413)]
    {
        let request = format!("POST /v1/widget/session HTTP/1.1\r\n{expect}{rest}\r\n");
        let reply = raw_http(server.base(), request.as_bytes()).await;
        assert_eq!(reply.status, Some(status), "{}", reply.text);
    }
    server.stop().await;
}

#[tokio::test]
async fn request_has_one_host() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    for (request, status) in [
        ("GET /health HTTP/1.1\r\n\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400),
        ("GET /health HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost:\r\n\r\n", 200),
        ("GET /health HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        // As HAProxy's probe asks.
        ("GET /health HTTP/1.0\r\n\r\n", 200),
    ] {
        let reply = raw_http(server.base(), request.as_bytes()).await;
        assert_eq!(reply.status, Some(status), "{request:?}: {}", reply.text);
    }
    server.stop().await;
}

#[tokio::test]
async fn head_has_at_most_32_kib() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    for (bytes, status) in [(30 << 10, 200), (80 << 10, 431), (200 << 10, 431)] {
        let request = format!("GET /health HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\n\r\n", "x".repeat(bytes));
        let reply = raw_http(server.base(), request.as_bytes()).await;
        assert_eq!(reply.status, Some(status), "{bytes}: {}", reply.text);
    }
    server.stop().await;
}
