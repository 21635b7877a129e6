//! The browser's own `WebSocket` and `EventSource`, through a drain and a `kill -9`.

use std::time::Duration;

use harness::{Client, DEADLINE, eventually};
use serde_json::json;

use crate::driver::{Browser, browsers, has_browser};
use crate::lasting::Lasting;

/// An `EventSource` with a ticket; it comes back by itself.
const EVENT_SOURCE: &str = "
    window.seen = [];
    const source = new EventSource('/v1/stream?ticket=TICKET');
    source.addEventListener('live', () => { window.live = true; });
    source.addEventListener('event', message => {
        const { data } = JSON.parse(message.data);
        if (data.type === 'message') { window.seen.push(data.content); }
    });";

/// A `WebSocket` that comes back with its position, as docs/api.md says.
const WEB_SOCKET: &str = "
    window.seen = [];
    let after;
    const open = () => {
        const socket = new WebSocket(location.origin.replace('http', 'ws') + '/v1/stream', 'livechatlog.v1');
        let epoch;
        let pause = 200;
        socket.onopen = () => socket.send(JSON.stringify({ frame: 'hello', token: 'TOKEN', ...(after && { after }) }));
        socket.onmessage = message => {
            const frame = JSON.parse(message.data);
            if (frame.frame === 'welcome') { epoch = frame.epoch; }
            if (frame.position !== undefined) { after = `${epoch}:${frame.position}`; }
            if (frame.frame === 'live') { window.live = true; }
            if (frame.frame === 'error') { pause = frame.retryInMs; }
            if (frame.frame === 'event' && frame.data.type === 'message') { window.seen.push(frame.data.content); }
        };
        socket.onclose = () => setTimeout(open, pause);
    };
    open();";

/// A visitor's chat.
struct Chat {
    client: Client,
    path: String,
    said: Vec<String>,
}

impl Chat {
    async fn begin(server: &Lasting) -> Self {
        let session = json!({ "initialMessage": "Hello" });
        let chat = server.process.client().post("/v1/widget/session", &session).await.expect(201);
        let client = server.process.client().with_token(chat.text("/sessionToken"));
        Self { client, path: format!("/v1/threads/{}/events", chat.text("/threadId")), said: vec![] }
    }

    async fn say(&mut self) {
        for _ in 0..5 {
            let content = self.said.len().to_string();
            self.client.post(&self.path, &json!({ "content": content })).await.expect(201);
            self.said.push(content);
        }
    }

    /// The browser gets every message once and in order.
    async fn is_seen_by(&self, browser: &Browser) {
        let said = json!(self.said);
        // Browsers come back after the pause that the server has asked for, and later when nobody has answered.
        eventually(3 * DEADLINE, "the browser has every message once", async || {
            let seen = browser.script("return window.seen").await;
            if seen == said { Ok(()) } else { Err(seen) }
        })
        .await;
    }
}

async fn lasts(test: &str, script: impl AsyncFnOnce(&Chat) -> String) {
    if !has_browser(test) {
        return;
    }
    let mut server = Lasting::start().await;
    let mut chat = Chat::begin(&server).await;
    let [browser] = browsers().await;
    browser.open(&format!("{}/demo/", server.process.base())).await;
    let script = script(&chat).await;
    browser.script(&script).await;
    browser.wait("return window.live").await;
    chat.say().await;
    chat.is_seen_by(&browser).await;
    server.process.terminate().await;
    server.restart().await;
    chat.say().await;
    chat.is_seen_by(&browser).await;
    server.kill();
    harness::tokio::time::timeout(Duration::from_secs(60), server.restart()).await.expect("it starts again");
    chat.say().await;
    chat.is_seen_by(&browser).await;
}

#[tokio::test]
async fn event_source_with_a_ticket_goes_on_after_a_drain_and_a_kill() {
    lasts("event_source_with_a_ticket_goes_on_after_a_drain_and_a_kill", async |chat| {
        let ticket = chat.client.post("/v1/stream/tickets", &json!({})).await.expect(200);
        EVENT_SOURCE.replace("TICKET", ticket.text("/ticket"))
    })
    .await;
}

#[tokio::test]
async fn web_socket_goes_on_after_a_drain_and_a_kill() {
    lasts("web_socket_goes_on_after_a_drain_and_a_kill", async |chat| {
        WEB_SOCKET.replace("TOKEN", chat.client.token().expect("a visitor has one"))
    })
    .await;
}
