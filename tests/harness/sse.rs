//! A client of server-sent events that trusts nothing: each event must have what all clients need, and be as documented.

use std::collections::VecDeque;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{DEADLINE, assert_documented};

/// An open stream of server-sent events.
pub struct Events {
    response: reqwest::Response,
    text: String,
    ready: VecDeque<Event>,
    /// How many comments have come.
    pub comments: usize,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The client's position with it.
    pub id: String,
    /// The name.
    pub name: String,
    /// The pause before the client comes back, in milliseconds.
    pub retry: Option<u64>,
    /// The frame.
    pub data: Value,
}

impl Events {
    /// Opens a stream, with these further header fields.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn open(base: &str, query: &str, headers: &[(&str, &str)]) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client can be made");
        let mut request = http.get(format!("{base}/v1/stream{query}")).header("accept", "text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("an answer");
        Self { response, text: String::new(), ready: VecDeque::new(), comments: 0 }
    }

    /// Opens a stream for a token, after an id.
    pub async fn follow(base: &str, token: &str, last_event_id: Option<&str>) -> Self {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(last_event_id.map(|id| ("last-event-id", id)));
        Self::open(base, "", &headers).await
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next event; `None` at a clean end.
    ///
    /// # Panics
    /// When there is none in time, the stream breaks off, or an event is not as clients need it.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let chunk = timeout(DEADLINE, self.response.chunk()).await.expect("in time").expect("no break");
            let Some(chunk) = chunk else {
                assert!(self.text.is_empty(), "the stream ends within an event: {:?}", self.text);
                return None;
            };
            self.text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
            self.parse();
        }
    }

    fn parse(&mut self) {
        loop {
            // Some clients make an event of the empty line after a comment.
            if let Some(rest) = self.text.strip_prefix(":\n") {
                self.comments += 1;
                assert!(!rest.starts_with('\n'), "a comment has an empty line");
                self.text = rest.to_owned();
                continue;
            }
            let Some((block, rest)) = self.text.split_once("\n\n") else { return };
            self.ready.push_back(event(block));
            self.text = rest.to_owned();
        }
    }

    /// All events up to one with this name.
    ///
    /// # Panics
    /// When the stream ends before.
    pub async fn until(&mut self, name: &str) -> Vec<Event> {
        let mut events = vec![];
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("the end before {name}: {events:?}"));
            events.push(event);
            if events.last().is_some_and(|event| event.name == name) {
                return events;
            }
        }
    }
}

fn event(block: &str) -> Event {
    let field = |wanted: &str| {
        let mut values = block.lines().filter_map(|line| line.split_once(": ")).filter(|(name, _)| *name == wanted);
        let value = values.next().map(|(_, value)| value.to_owned());
        assert!(values.next().is_none(), "{wanted} comes twice: {block}");
        value
    };
    let id = field("id").unwrap_or_else(|| panic!("no id: {block}"));
    assert!(
        id.len() <= 64 && id.bytes().all(|byte| b"0123456789abcdefghijklmnopqrstuvwxyz.:-".contains(&byte)),
        "{id}"
    );
    let data: Value = serde_json::from_str(&field("data").unwrap_or_else(|| panic!("no data: {block}"))).expect("JSON");
    assert_documented(&data);
    if let (Some((_, position)), false) = (id.split_once(':'), data["position"].is_null()) {
        assert_eq!(data["position"], json!(position.parse::<i64>().expect("a position")), "{block}");
    }
    let name = field("event").unwrap_or_default();
    Event { id, name, retry: field("retry").map(|millis| millis.parse().expect("milliseconds")), data }
}
