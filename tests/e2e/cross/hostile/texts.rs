//! Odd texts that are allowed come back as they were; those on one line as they are seen.

use domain::text::{MessageText, Name, PhoneNumber};
use harness::{Client, Desk, PASSWORD};
use reqwest::Method;
use serde_json::{Value, json};

use super::fields::SQL;

const ODD: [&str; 23] = [
    SQL,
    "' OR '1'='1",
    "Robert'); DELETE FROM events WHERE ('1'='1",
    "\\",
    "\\'",
    "\\\\0",
    "%s%n%d",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "X'00'",
    "NULL",
    "?",
    "$1",
    ":a",
    "ends with blanks  ",
    "ß ẞ İ ı ŉ",
    "e\u{301} é",
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "\u{202e}desrever",
    "\u{fffe}\u{fffd}\u{10ffff}",
    "a\u{2028}b\u{2029}c",
    "日本語",
];

pub async fn odd_texts_come_back(desk: &Desk) {
    for (number, odd) in ODD.into_iter().enumerate() {
        let mail = format!("o'odd+{number}/*--`{{%}}=?@example.com");
        let metadata = json!({ "text": odd, odd: [odd], "number": 1.5, "deep": { "null": null } });
        let session = json!({
            "name": odd, "email": mail, "phone": odd, "initialMessage": odd, "metadata": metadata,
        });
        let visitor = desk.client.visitor(session).await;
        let person = &visitor.conversation().await["visitor"];
        let line = Name::parse(odd).unwrap();
        let line = line.as_str();
        assert_eq!(person, &json!({ "id": visitor.id, "name": line, "email": mail, "phone": line }));
        let path = format!("/v1/threads/{}/events", visitor.thread_id);
        let message = json!({ "content": odd, "clientEventId": odd, "metadata": metadata });
        let sent = visitor.client.post(&path, &message).await.expect(201).body;
        assert_eq!(
            visitor.client.post(&path, &message).await.expect(201).body,
            sent,
            "the same id is the same message"
        );
        let events = visitor.client.get(&path).await.expect(200).body;
        let messages: Vec<_> = events["data"].as_array().unwrap().iter().filter(|e| e["type"] == "message").collect();
        assert_eq!((messages.len(), messages[1]), (2, &sent));
        for (message, at) in messages.iter().zip(["first", "second"]) {
            assert_eq!((&message["content"], &message["metadata"]), (&json!(odd), &metadata), "{at}");
        }
        let agent = json!({ "name": odd, "email": mail, "password": PASSWORD });
        let agent = desk.admin.client.post("/v1/agents", &agent).await.expect(201).body;
        assert_eq!((&agent["name"], &agent["email"]), (&json!(line), &json!(mail)));
        assert_eq!(desk.client.log_in(&mail).await.id, agent["id"].as_str().unwrap());
        let ending = json!({ "reason": odd, "notes": format!("{odd}\n\t{odd}") });
        let close = format!("/v1/conversations/{}/close", visitor.conversation_id);
        desk.admin.client.post(&close, &ending).await.expect(200);
    }
}

pub async fn texts_at_their_limit_come_back(desk: &Desk) {
    let max = MessageText::MAX_BYTES;
    for letter in ["x", "é", "€", "🦀", "\n", "\"", "\\"] {
        // A text of nothing but line breaks would be empty.
        let text = format!("{}{}", letter.repeat((max - 4) / letter.len()), "x".repeat(4 + (max - 4) % letter.len()));
        assert_eq!(text.len(), max);
        // {"a":"…"} adds eight bytes.
        let metadata = json!({ "a": "x".repeat(4096 - 8) });
        let body = json!({ "content": text, "metadata": metadata });
        for bytes in [body.to_string(), escaped(&body)] {
            let path = desk.messages();
            let sent = desk.visitor.client.send_bytes(Method::POST, &path, Some("application/json"), bytes.into());
            let sent = sent.await.expect(201);
            let read = last(&desk.visitor.client, &format!("{path}?after={}", sent.position() - 1)).await;
            assert_eq!((&read["content"], &read["metadata"]), (&json!(text), &metadata));
        }
    }
    let (name, phone) = ("🦀".repeat(Name::MAX_BYTES / 4), "5".repeat(PhoneNumber::MAX_BYTES));
    // 64 before the @, 189 after it.
    let mail = format!("{}@{}.example.com", "l".repeat(64), "h".repeat(177));
    let session = json!({ "name": name, "email": mail, "phone": phone, "initialMessage": "x".repeat(max) });
    let visitor = desk.client.visitor(session).await;
    let person = json!({ "id": visitor.id, "name": name, "email": mail, "phone": phone });
    assert_eq!(visitor.conversation().await["visitor"], person);
    let nested = (0..16).fold(json!(1), |inner, _| json!({ "a": inner }));
    let body = json!({ "content": "nested", "metadata": nested });
    desk.visitor.client.post(&desk.messages(), &body).await.expect(201);
    let events = desk.visitor.client.get(&format!("{}?limit=100", desk.messages())).await.expect(200).body;
    assert_eq!(events["data"].as_array().unwrap().last().unwrap()["metadata"], nested);
}

async fn last(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).body["data"].as_array().unwrap().last().unwrap().clone()
}

/// The same JSON with each letter of its texts written as `\uXXXX`.
fn escaped(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            format!("\"{units}\"")
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{}:{}", json!(name), escaped(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}
