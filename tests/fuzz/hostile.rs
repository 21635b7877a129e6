//! Requests that no honest client sends.

use harness::Rng;
use serde_json::{Value, json};

use crate::request::{Body, Request};

const TEXTS: [&str; 19] = [
    "",
    " ",
    "'; DROP TABLE events; --",
    "\" OR \"1\"=\"1",
    "x' UNION SELECT password_hash FROM agent_credentials --",
    "%' ESCAPE '\\",
    "_%\\_",
    "%s%n%x %1$s {0} {{name}} ${name}",
    "../../etc/passwd",
    "a\u{0}b",
    "a\u{7}\u{1b}[31m\u{85}b",
    "\u{202E}\u{200D}\u{FEFF}\u{2028}",
    "e\u{301}\u{0301}\u{0327}\u{1F468}\u{200D}\u{1F469}",
    "\u{10FFFF}\u{FFFF}\u{E000}",
    "İıſßΣς",
    "<script>alert(1)</script>&amp;",
    "null",
    "\r\nX-Injected: 1",
    "-0",
];

const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "-0.0",
    "0.5",
    "2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551616",
    "1e308",
    "1e400",
    "1E-400",
];

const IDS: [&str; 7] = [
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "018900000000700080000000000000001",
    "{01890000-0000-7000-8000-000000000000}",
    "01890000-0000-7000-8000-00000000000g",
    "1",
    "me",
];

/// Bodies that are no JSON object.
const NO_OBJECTS: [&[u8]; 12] = [
    b"",
    b"{",
    b"{}{}",
    b"[]",
    b"null",
    b"\"text\"",
    b"{\"a\":1,\"a\":2}",
    b"{\"name\":\"\\ud800\"}",
    b"{\"name\":\"\xff\xfe\"}",
    b"\xef\xbb\xbf{}",
    b"{'name':'x'}",
    b"{\"name\":NaN}",
];

const MEDIA_TYPES: [&str; 5] =
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/", "*/*"];

const HEADERS: [&[u8]; 9] =
    [b"", b"\"", b"\"01\"", b"W/\"1\"", b"\"-1\"", b"-1", b"1e3", b"9223372036854775808", b"caf\xc3\xa9\xff"];

/// Spoils one thing of a request.
pub fn spoil(rng: &mut Rng, request: &mut Request) {
    match rng.below(8) {
        0 => spoil_path(rng, request),
        1 | 2 => spoil_query(rng, request),
        3 => spoil_header(rng, request),
        4 => spoil_media(rng, request),
        _ => spoil_body(rng, request),
    }
}

fn spoil_path(rng: &mut Rng, request: &mut Request) {
    let value = if rng.percent(50) { (*rng.pick(&IDS)).to_owned() } else { text(rng) };
    let number = rng.below(request.path.len().max(1));
    match request.path.get_mut(number) {
        Some(parameter) => parameter.1 = value,
        None => spoil_query(rng, request),
    }
}

fn spoil_query(rng: &mut Rng, request: &mut Request) {
    let value = if rng.percent(30) { (*rng.pick(&NUMBERS)).to_owned() } else { text(rng) };
    let number = rng.below(request.query.len().max(1));
    match request.query.get_mut(number) {
        Some(parameter) if rng.percent(70) => parameter.1 = value,
        Some((name, _)) => {
            let name = name.clone();
            request.query.push((name, value));
        }
        None => request.query.push(((*rng.pick(&["limit", "cursor", "search", "x", ""])).to_owned(), value)),
    }
}

fn spoil_header(rng: &mut Rng, request: &mut Request) {
    let name =
        *rng.pick(&["If-Match", "If-Position-At-Least", "Prefer", "Idempotency-Key", "Authorization", "X-Request-Id"]);
    let value = if rng.percent(10) { b"9".repeat(3_000) } else { rng.pick(&HEADERS).to_vec() };
    request.headers.retain(|(known, _)| *known != name);
    request.headers.push((name, value));
}

fn spoil_media(rng: &mut Rng, request: &mut Request) {
    if let Some(body) = &mut request.body {
        match rng.below(3) {
            0 => body.media_type = Some((*rng.pick(&MEDIA_TYPES)).to_owned()),
            1 => body.media_type = None,
            _ => body.bytes = rng.pick(&NO_OBJECTS).to_vec(),
        }
    } else {
        request.body = Some(Body { media_type: Some("application/json".to_owned()), bytes: b"{}".to_vec() });
    }
}

fn spoil_body(rng: &mut Rng, request: &mut Request) {
    let parsed = request.body.as_ref().and_then(|body| serde_json::from_slice::<Value>(&body.bytes).ok());
    let (Some(mut value), Some(body)) = (parsed, &mut request.body) else { return spoil_query(rng, request) };
    // serde_json's own numbers cannot say all that a text can.
    let number = *rng.pick(&NUMBERS);
    let takes_number = rng.percent(15);
    spoil_value(rng, &mut value, takes_number);
    body.bytes = value.to_string().replace("\"a number\"", number).into_bytes();
}

fn spoil_value(rng: &mut Rng, value: &mut Value, takes_number: bool) {
    let Some(members) = value.as_object_mut() else { return };
    let names: Vec<String> = members.keys().cloned().collect();
    if names.is_empty() || rng.percent(10) {
        members.insert((*rng.pick(&["unknown", "__proto__", "id", ""])).to_owned(), odd(rng));
        return;
    }
    let name = rng.pick(&names);
    if takes_number {
        members.insert(name.clone(), json!("a number"));
    } else if rng.percent(15) {
        members.remove(name);
    } else if members[name].is_object() && rng.percent(60) {
        spoil_value(rng, &mut members[name], false);
    } else {
        let odd = if members[name].is_array() && rng.percent(60) { json!([odd(rng), odd(rng)]) } else { odd(rng) };
        members.insert(name.clone(), odd);
    }
}

/// Any JSON.
fn odd(rng: &mut Rng) -> Value {
    match rng.below(10) {
        0 => Value::Null,
        1 => json!(rng.percent(50)),
        2 => json!([]),
        3 => json!({}),
        4 => (0..rng.below(150)).fold(json!(1), |inner, _| json!([inner])),
        5 => json!(*rng.pick(&IDS)),
        6 => json!(i64::MAX),
        _ => json!(text(rng)),
    }
}

fn text(rng: &mut Rng) -> String {
    match rng.below(20) {
        0 => "x".repeat(rng.below(3_000)),
        1 => "\u{1F600}".repeat(rng.below(600)),
        _ => (*rng.pick(&TEXTS)).to_owned(),
    }
}
