//! Paths, methods, queries and header fields that mean nothing.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::desk::{NOBODY, assert_field, assert_problem};
use harness::{Client, Desk, raw_http};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};

use super::fields::{SQL, endpoints};
use super::{MARKER, reads};

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

pub async fn refuse_malformed_ids(desk: &Desk) {
    let long = "0".repeat(8_000);
    let words = ["1", "null", "undefined", "%FF", "%00", "%ED%A0%80", "me", &NOBODY[1..], &long];
    let words = words.iter().map(ToString::to_string).chain([encoded(SQL), encoded(MARKER), format!("{NOBODY}%20")]);
    let ids: Vec<_> = words.collect();
    for (method, template, body) in by_id() {
        for id in &ids {
            let reply = desk.admin.client.request(method.clone(), &template.replace("{id}", id), body.as_ref()).await;
            assert_field(&reply, "id", "must be a UUID");
        }
        let path = template.replace("{id}", NOBODY);
        let reply = desk.admin.client.request(method.clone(), &path, body.as_ref()).await;
        assert_problem(&reply, 404, "not_found");
    }
}

/// Every route with an id in its path, with a body that could be right.
fn by_id() -> Vec<(Method, &'static str, Option<Value>)> {
    let (says, ends) = (json!({ "content": "x" }), json!({ "reason": "x" }));
    vec![
        (Method::GET, "/v1/agents/{id}", None),
        (Method::PUT, "/v1/agents/{id}/status", Some(json!({ "status": "away" }))),
        (Method::GET, "/v1/threads/{id}/events", None),
        (Method::POST, "/v1/threads/{id}/events", Some(says.clone())),
        (Method::GET, "/v1/conversations/{id}", None),
        (Method::POST, "/v1/conversations/{id}/events", Some(says)),
        (Method::POST, "/v1/conversations/{id}/assign", Some(json!({ "agentId": NOBODY }))),
        (Method::POST, "/v1/conversations/{id}/close", Some(ends)),
        (Method::POST, "/v1/conversations/{id}/reopen", Some(json!({}))),
        (Method::GET, "/v1/conversations/{id}/assignments", None),
    ]
}

pub async fn refuse_unknown_routes_and_methods(desk: &Desk) {
    let paths = ["/v1", "/v1/", "/v2/agents", "/v1/agents/", "/V1/agents", "/v1/agents/x/y", "/v1/conversation"];
    let paths = paths.iter().chain(&["/admin", "/.env", "/v1/agents%00", "//health"]);
    for path in paths {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            assert_problem(&desk.admin.client.request(method, path, None).await, 404, "not_found");
        }
    }
    let id = &desk.agent.id;
    let of_agent = [format!("/v1/agents/{id}"), format!("/v1/agents/{id}/status")];
    let gets = "GET,HEAD";
    let routes = [
        ("/v1/auth/login", "POST"),
        ("/v1/auth/me", gets),
        ("/v1/agents", "GET,HEAD,POST"),
        (&of_agent[0], "GET,HEAD,PATCH,DELETE"),
        (&of_agent[1], "PUT"),
        ("/v1/groups", "GET,HEAD,POST"),
        ("/v1/widget/session", "POST"),
        (&desk.messages(), "GET,HEAD,POST"),
        ("/v1/conversations", gets),
        (&desk.chat(""), gets),
        (&desk.chat("/events"), "POST"),
        (&desk.chat("/assign"), "POST"),
        (&desk.chat("/close"), "POST"),
        (&desk.chat("/reopen"), "POST"),
        (&desk.chat("/assignments"), gets),
        ("/health", gets),
        ("/livez", gets),
        ("/readyz", gets),
        ("/", gets),
        ("/console/", gets),
        ("/widget.js", gets),
    ];
    for (path, allowed) in routes {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            if allowed.split(',').any(|name| name == method) {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let reply = desk.admin.client.request(method, path, None).await;
            assert_problem(&reply, 405, "method_not_allowed");
            // RFC 9110 §15.5.6 demands the field.
            assert_eq!(reply.header("allow"), Some(allowed), "{path}");
        }
    }
}

pub async fn refuse_bad_queries(desk: &Desk) {
    let admin = &desk.admin.client;
    let lists = ["/v1/agents", "/v1/groups", "/v1/conversations", &desk.messages(), &desk.chat("/assignments")];
    let not_a_limit = "must be a number from 1 to 100";
    for list in lists {
        for limit in ["0", "101", "-1", "abc", "", "1.5", "1e2", "0x10", "٣", "4294967297", "99999999999999999999", SQL]
        {
            let reply = admin.get(&format!("{list}?limit={}", encoded(limit))).await;
            assert_field(&reply, "limit", not_a_limit);
        }
        for cursor in ["x", "%25", "-1", "9223372036854775808", "%00", "%FF%FE", &encoded(SQL), &"A".repeat(8_000)] {
            let reply = admin.get(&format!("{list}?cursor={cursor}")).await;
            assert_field(&reply, "cursor", "");
        }
        let unknown = admin.get(&format!("{list}?offset=5&{MARKER}={MARKER}")).await;
        assert_field(&unknown, "offset", "is not known");
        assert_field(&admin.get(&format!("{list}?limit=5&limit=6")).await, "limit", "is not valid");
        for limit in ["1", "100"] {
            admin.get(&format!("{list}?limit={limit}")).await.expect(200);
        }
    }
    let words = [
        ("/v1/agents", "status"),
        ("/v1/agents", "role"),
        ("/v1/conversations", "status"),
        ("/v1/conversations", "sort"),
    ];
    for (list, name) in words {
        for word in ["x", "ONLINE", "%00", &encoded(SQL)] {
            assert_field(&admin.get(&format!("{list}?{name}={word}")).await, name, "must be one of");
        }
    }
    let ids = [
        ("/v1/agents", "groupId"),
        ("/v1/conversations", "agentId"),
        ("/v1/conversations", "groupId"),
        ("/v1/conversations", "tagId"),
    ];
    for (list, name) in ids {
        for id in ["1", "%FF", &encoded(SQL)] {
            assert_field(&admin.get(&format!("{list}?{name}={id}")).await, name, "must be a UUID");
        }
        let nothing = admin.get(&format!("{list}?{name}={NOBODY}")).await.expect(200);
        assert_eq!(nothing.body, json!({ "data": [], "nextCursor": null }));
    }
    assert_field(&admin.get(&format!("/v1/agents?search={}", "x".repeat(201))).await, "search", "must");
    // A text that a form leaves empty is absent, and what is pasted into an address is taken as it was.
    let all = admin.get("/v1/agents").await.expect(200).body;
    for field in ["status", "role", "groupId"] {
        assert_field(&admin.get(&format!("/v1/agents?{field}=")).await, field, "must");
    }
    for empty in ["search=", "search=%20", "search=%00"] {
        assert_eq!(admin.get(&format!("/v1/agents?{empty}")).await.expect(200).body, all, "{empty}");
    }
    for time in ["2026-01-31T09:30:00+02:00", "2026-01-31T09:30:00%2B02:00", "2026-01-31T07:30:00Z"] {
        admin.get(&format!("/v1/conversations?from={time}&to={time}")).await.expect(200);
        admin.get(&format!("/v1/audit?from={time}&to={time}")).await.expect(200);
    }
    for time in ["2026-01-31", "2026-01-31T09:30:00", "now", "+02:00"] {
        assert_field(&admin.get(&format!("/v1/conversations?from={time}")).await, "from", "must be a time");
    }
    for search in [SQL, "%", "_", "!", "\\", "\u{301}", "´", MARKER] {
        let found = admin.get(&format!("/v1/agents?search={}", encoded(search))).await.expect(200);
        assert_eq!(found.body["data"], json!([]), "{search}");
    }
    // What is not UTF-8 is read as the replacement character, which is in nobody's name.
    admin.get("/v1/agents?search=%FF").await.expect(200);
}

pub async fn refuse_foreign_cursors_and_positions(desk: &Desk) {
    let admin = &desk.admin.client;
    let of_agents = admin.get("/v1/agents?limit=1").await.expect(200).text("/nextCursor").to_owned();
    let other = "cursor belongs to another list";
    for list in ["/v1/groups", "/v1/conversations", "/v1/conversations?sort=oldest"] {
        let separator = if list.contains('?') { '&' } else { '?' };
        assert_field(&admin.get(&format!("{list}{separator}cursor={of_agents}")).await, "cursor", other);
    }
    let cursor = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let oldest = cursor("conversations:oldest:1");
    assert_field(&admin.get(&format!("/v1/conversations?cursor={oldest}")).await, "cursor", other);
    for text in ["agents", "agents:", "agents:x", "agents:9223372036854775808", "agents:1;--", ""] {
        assert_field(&admin.get(&format!("/v1/agents?cursor={}", cursor(text))).await, "cursor", "malformed");
    }
    for text in ["agents:9223372036854775807", "agents:-9223372036854775808", "agents:0"] {
        admin.get(&format!("/v1/agents?cursor={}", cursor(text))).await.expect(200);
    }
    let messages = desk.messages();
    for after in ["-1", "x", "", "1.5", "9223372036854775808", "99999999999999999999999"] {
        let reply = admin.get(&format!("{messages}?after={after}")).await;
        assert_field(&reply, "after", "must be a position of the log");
    }
    let nothing = admin.get(&format!("{messages}?after={}", i64::MAX)).await.expect(200);
    assert_eq!(nothing.body, json!({ "data": [], "nextCursor": null }));
    let both = admin.get(&format!("{messages}?after=1&cursor=1")).await;
    assert_field(&both, "cursor", "must not be given together with after");
}

pub async fn refuse_malformed_positions(desk: &Desk) {
    for path in reads(desk) {
        for position in ["x", "-1", "", "1.5", "1e3", "9223372036854775808", SQL] {
            let client = desk.admin.client.with_header("If-Position-At-Least", position);
            assert_field(&client.get(&path).await, "If-Position-At-Least", "must be a position of the log");
        }
    }
}

/// Waits for five seconds, so all reads are made at once.
pub async fn give_up_on_future_positions(desk: &Desk) {
    let started = Instant::now();
    let future = |client: &Client| client.with_header("If-Position-At-Least", &i64::MAX.to_string());
    let paths = reads(desk);
    let reads = paths.iter().map(|path| {
        let client = future(&desk.admin.client);
        async move { client.get(path).await }
    });
    for reply in futures::future::join_all(reads).await {
        assert_problem(&reply, 503, "position_not_reached");
    }
    let waited = started.elapsed();
    assert!(waited > Duration::from_secs(4) && waited < Duration::from_secs(10), "{waited:?}");
}

pub async fn refuse_bad_keys(desk: &Desk) {
    let message = "must have 1 to 255 visible ASCII characters";
    for endpoint in endpoints(desk).into_iter().filter(|endpoint| endpoint.path != "/v1/auth/login") {
        for key in ["", &"k".repeat(256), &"k".repeat(10_000)] {
            let client = endpoint.client.with_header("Idempotency-Key", key);
            let reply = client.request(endpoint.method.clone(), &endpoint.path, Some(&endpoint.body)).await;
            assert_field(&reply, "Idempotency-Key", message);
        }
    }
    let short = desk.client.with_header("Idempotency-Key", "guessable");
    let session = json!({ "initialMessage": MARKER });
    assert_field(&short.post("/v1/widget/session", &session).await, "Idempotency-Key", "at least 16 characters");
    let head = "POST /v1/widget/session HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 22";
    for key in ["Schlüssel, sechzehn Zeichen".as_bytes(), b"\xff\xfe\xfd0123456789abcdef", b"0123456789\tabcdef\x80"] {
        let request = [head.as_bytes(), b"\r\nIdempotency-Key: ", key, b"\r\n\r\n{\"initialMessage\":\"x\"}"].concat();
        let reply = raw_http(desk.client.base(), &request).await;
        assert_eq!(reply.status, Some(400), "{}", reply.text);
        assert!(reply.text.contains(message), "{}", reply.text);
    }
}
