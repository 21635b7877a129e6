//! Bytes that are hardly HTTP.

use harness::{Desk, raw_http};

use super::MARKER;

const LOGIN: &str = "POST /v1/auth/login HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n";

/// Requests with the statuses that they may get; 0 is a connection that is closed without an answer.
fn requests() -> Vec<(Vec<u8>, &'static [u16])> {
    let get = |path: &str, fields: &str| format!("GET {path} HTTP/1.1\r\nHost: test\r\n{fields}\r\n").into_bytes();
    let login = |rest: &str| format!("{LOGIN}{rest}").into_bytes();
    vec![
        (b"\r\n\r\n".to_vec(), &[0, 400]),
        (b"NONSENSE\r\n\r\n".to_vec(), &[400]),
        (b"GET /health\r\n\r\n".to_vec(), &[400]),
        (b"GET /health HTTP/9.9\r\nHost: test\r\n\r\n".to_vec(), &[400]),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), &[0, 400]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), &[400]),
        (vec![0; 4096], &[400]),
        (b"GET /\xff\xfe HTTP/1.1\r\nHost: test\r\n\r\n".to_vec(), &[400, 404]),
        (get("/health", "X: a\0b\r\n"), &[400]),
        (get("/health", "No colon\r\n"), &[400]),
        (get("/health", &format!("X-Large: {}\r\n", "x".repeat(100_000))), &[200, 431]),
        (get("/health", &format!("X-Large: {}\r\n", "x".repeat(1_000_000))), &[0, 431]),
        (get("/health", &"X-Many: 1\r\n".repeat(1_000)), &[431]),
        (get(&format!("/{}", "x".repeat(70_000)), ""), &[414, 431]),
        (get(&format!("/{MARKER}?{MARKER}={MARKER}"), &format!("Authorization: Bearer {MARKER}\r\n")), &[404]),
        (get("/v1/auth/me", "Authorization: Bearer \u{fc}\r\n"), &[401]),
        (get("/v1/auth/me", "If-Position-At-Least: \u{fc}\r\n"), &[401]),
        (login("Content-Length: abc\r\n\r\n{}"), &[400]),
        (login("Content-Length: -5\r\n\r\n{}"), &[400]),
        (login("Content-Length: 99999999999999999999\r\n\r\n{}"), &[400]),
        (login("Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"), &[400]),
        (login("Transfer-Encoding: chunked\r\n\r\nZZ\r\n"), &[400]),
        (login("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"), &[400]),
        (login("Transfer-Encoding: gzip\r\n\r\n{}"), &[400, 501]),
        (login("Expect: the unexpected\r\nContent-Length: 2\r\n\r\n{}"), &[400, 417]),
        (b"CONNECT test:1 HTTP/1.1\r\nHost: test\r\n\r\n".to_vec(), &[400, 404, 405]),
        (b"OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n".to_vec(), &[400, 404, 405]),
    ]
}

pub async fn survive_broken_http(desk: &Desk) {
    let replies = requests().into_iter().map(|(bytes, allowed)| async move {
        let reply = raw_http(desk.client.base(), &bytes).await;
        let request = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        assert!(allowed.contains(&reply.status.unwrap_or(0)), "{request:?} had {:?}", reply.text);
    });
    futures::future::join_all(replies).await;
    // Both ways to end a body at once: the second request must not be read out of the first.
    let smuggled =
        format!("{LOGIN}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\n\r\n");
    let reply = raw_http(desk.client.base(), smuggled.as_bytes()).await;
    assert_eq!((reply.status, reply.text.matches("HTTP/1.1 ").count()), (Some(400), 1), "{}", reply.text);
}
