//! Bodies that are no JSON object, too large, or of another media type.

use harness::desk::{assert_malformed, assert_problem};
use harness::{Desk, Reply, raw_http};
use reqwest::Method;

use super::MARKER;
use super::fields::{Endpoint, endpoints};

/// The most bytes of a body.
const MAX_BODY: usize = 128 * 1024;

const LARGE: usize = 10_000_000;

async fn send(endpoint: &Endpoint, content_type: Option<&str>, body: impl Into<Vec<u8>>) -> Reply {
    endpoint.client.send_bytes(endpoint.method.clone(), &endpoint.path, content_type, body.into()).await
}

fn no_json() -> Vec<Vec<u8>> {
    let deep = |open: &str, times| format!("{{\"metadata\":{}", open.repeat(times)).into_bytes();
    let text = |content: &[u8]| [b"{\"content\":\"", content, b"\"}"].concat();
    let mut bodies: Vec<Vec<u8>> = [
        "not JSON",
        "{",
        "{]",
        "{\"",
        "{\"content\"",
        "{\"content\":",
        "{\"content\":\"",
        "{\"content\":\"x\"",
        "{'content':'x'}",
        "{content:1}",
        "{\"content\":\"x\",}",
        "{\"content\":\"x\"} {}",
        "{\"content\":\"x\"}x",
        "[]",
        "[{}]",
        "null",
        "true",
        "5",
        "\"content\"",
        "1e400",
        "{\"metadata\":1e400}",
        "{\"metadata\":-1e400}",
        "{\"metadata\":01}",
        "{\"metadata\":NaN}",
        "{\"metadata\":Infinity}",
        "{\"metadata\":0x10}",
        "/**/{}",
        "\u{feff}{}",
        "\0",
        " ",
    ]
    .iter()
    .map(|body| body.replace('x', MARKER).into_bytes())
    .collect();
    bodies.extend([
        text(br"\ud800"),
        text(br"\udc00"),
        text(br"\ud800\ud800"),
        text(br"\ud800x"),
        text(br"\u00"),
        text(br"\x41"),
        text(b"\xff\xfe"),
        text(b"\xc3"),
        text(b"\xed\xa0\x80"),
        text(b"\xc0\x80"),
        text(b"\xf5\x80\x80\x80"),
        text(b"line\nbreak"),
        text(b"\0"),
        text(b"\x1b[31m"),
        deep("[", 1_000),
        deep("[", 60_000),
        deep("{\"a\":", 20_000),
        "{\"content\":\"x\"}".encode_utf16().flat_map(u16::to_le_bytes).collect(),
    ]);
    bodies
}

pub async fn refuse_what_is_no_json_object(desk: &Desk) {
    let bodies = no_json();
    for endpoint in endpoints(desk) {
        for body in &bodies {
            let reply = send(&endpoint, Some("application/json"), body.clone()).await;
            // Whether a number of metadata can be kept is asked only after the other fields.
            let is_number = body.ends_with(b"1e400}");
            if endpoint.path == desk.messages() && !is_number {
                assert_malformed(&reply);
            } else {
                // Elsewhere the field may be refused before the text ceases to be JSON.
                assert_problem(&reply, 400, reply.text("/code"));
            }
        }
    }
}

pub async fn refuse_other_media_types(desk: &Desk) {
    let others = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"];
    let others = others.iter().chain(&["application/jsonx", "application/xml", "json", "", "application/", "*/*"]);
    let others: Vec<_> = others.map(|content_type| Some(*content_type)).chain([None]).collect();
    for endpoint in endpoints(desk) {
        for content_type in &others {
            let reply = send(&endpoint, *content_type, endpoint.body.to_string()).await;
            assert_problem(&reply, 415, "unsupported_media_type");
        }
    }
    let send = |content_type| {
        let body = b"{\"content\":\"typed\"}".to_vec();
        desk.visitor.client.send_bytes(Method::POST, "/v1/nowhere", Some(content_type), body)
    };
    // Where nothing is there is nothing to be of the wrong type.
    assert_problem(&send("text/plain").await, 404, "not_found");
}

pub async fn refuse_empty_bodies(desk: &Desk) {
    for endpoint in endpoints(desk).into_iter().filter(|endpoint| !endpoint.path.ends_with("/reopen")) {
        for content_type in [None, Some("application/json")] {
            assert_problem(&send(&endpoint, content_type, "").await, 400, "invalid_request");
        }
        assert_problem(&send(&endpoint, Some("application/json"), "{}").await, 400, "invalid_request");
    }
}

pub async fn refuse_large_bodies(desk: &Desk) {
    for endpoint in endpoints(desk) {
        for size in [MAX_BODY + 1, LARGE] {
            let body = padded(&endpoint.body.to_string(), size);
            // A client that is still writing when the answer comes may lose the connection, and the answer with it.
            let answer =
                endpoint.client.try_send_bytes(endpoint.method.clone(), &endpoint.path, Some("application/json"), body);
            match answer.await {
                Ok(reply) => {
                    assert_problem(&reply, 413, "too_large");
                    assert_eq!(reply.header("connection"), Some("close"));
                }
                Err(error) => assert!(size == LARGE && error.is_request(), "{error:?}"),
            }
            endpoint.client.get("/livez").await.expect(200);
        }
        let at_most = padded("not JSON", MAX_BODY);
        assert_malformed(&send(&endpoint, Some("application/json"), at_most).await);
    }
    for path in ["/v1/widget/session", "/v1/auth/login"] {
        let reply = raw_http(desk.client.base(), &chunked(path, LARGE)).await;
        assert!(matches!(reply.status, Some(413) | None), "{}", reply.text);
        let reply = raw_http(desk.client.base(), &chunked(path, MAX_BODY + 1)).await;
        assert_eq!(reply.status, Some(413), "{}", reply.text);
    }
}

fn padded(body: &str, size: usize) -> Vec<u8> {
    let mut bytes = body.as_bytes().to_vec();
    bytes.resize(size, b' ');
    bytes
}

/// A body of blanks whose length is not announced.
fn chunked(path: &str, size: usize) -> Vec<u8> {
    const CHUNK: usize = 0x1000;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let mut bytes = head.into_bytes();
    for start in (0..size).step_by(CHUNK) {
        let length = CHUNK.min(size - start);
        bytes.extend(format!("{length:x}\r\n").into_bytes());
        bytes.resize(bytes.len() + length, b' ');
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}
