//! A client of the live stream over a WebSocket that trusts nothing: every frame must be as the AsyncAPI document has it,
//! and no event may be missing.

use std::sync::LazyLock;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use jsonschema::Validator;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::DEADLINE;

static FRAME: LazyLock<Validator> = LazyLock::new(|| {
    let document = json!({
        "$ref": "#/components/schemas/ServerFrame", "components": api::live::document()["components"],
    });
    jsonschema::draft202012::options().should_validate_formats(true).build(&document).expect("the schemas are valid")
});

/// An open stream.
pub struct Stream {
    socket: WebSocketStream<TcpStream>,
    /// The history, once the server has named it.
    pub epoch: String,
    /// The position that this client has.
    pub position: i64,
}

/// The end of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Closed {
    /// The close code; 1006 if the connection has ended without one.
    pub code: u16,
    /// The frame `error` before it.
    pub error: Option<Value>,
}

/// Checks a frame against the document.
///
/// # Panics
/// When it is not as documented.
pub fn assert_documented(frame: &Value) {
    let errors: Vec<_> = FRAME.iter_errors(frame).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "not as documented: {frame}: {}", errors.join("; "));
}

fn address(base: &str) -> &str {
    base.strip_prefix("http://").expect("servers of tests speak HTTP")
}

impl Stream {
    /// Connects, with these header fields, and says nothing.
    ///
    /// # Errors
    /// The status of an answer that is no upgrade; 0 if there is no answer.
    pub async fn try_connect(base: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        // The server may be below a path of a proxy.
        let host = address(base).split('/').next().unwrap_or_default();
        let Ok(tcp) = TcpStream::connect(host).await else { return Err(0) };
        Self::upgrade(tcp, base, headers).await
    }

    async fn upgrade(tcp: TcpStream, base: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let address = address(base);
        let mut request = format!("ws://{address}/v1/stream").into_client_request().expect("a request");
        let protocol = ("sec-websocket-protocol", "livechatlog.v1");
        for (name, value) in headers.iter().copied().chain([protocol]) {
            let name: reqwest::header::HeaderName = name.parse().expect("a header");
            request.headers_mut().insert(name, value.parse().expect("a value"));
        }
        match client_async(request, tcp).await {
            Ok((socket, answer)) => {
                assert_eq!(answer.headers()["sec-websocket-protocol"], "livechatlog.v1");
                Ok(Self { socket, epoch: String::new(), position: 0 })
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(_) => Err(0),
        }
    }

    /// Connects and says nothing.
    ///
    /// # Panics
    /// When there is no upgrade.
    pub async fn connect(base: &str) -> Self {
        Self::try_connect(base, &[]).await.unwrap_or_else(|status| panic!("the answer was {status}"))
    }

    /// Begins a stream whose connection takes little unless it is read.
    ///
    /// # Panics
    /// When there is none.
    pub async fn with_small_buffer(base: &str, token: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4 * 1024).expect("a small buffer");
        let tcp = socket.connect(address(base).parse().expect("an address")).await.expect("a connection");
        let mut stream = Self::upgrade(tcp, base, &[]).await.expect("an upgrade");
        stream.send(&json!({ "frame": "hello", "token": token })).await;
        stream.until("live", |frame| frame["frame"] == "live").await;
        stream
    }

    /// Connects and begins a stream, after a cursor or at the end of the log.
    ///
    /// # Errors
    /// How the stream ended instead.
    pub async fn try_join(base: &str, token: &str, after: Option<&str>) -> Result<Self, Closed> {
        let gone = Closed { code: 1006, error: None };
        let mut stream = Self::try_connect(base, &[]).await.map_err(|_| gone)?;
        let mut hello = json!({ "frame": "hello", "token": token });
        if let Some(after) = after {
            hello["after"] = json!(after);
        }
        stream.send(&hello).await;
        let welcome = stream.next().await?;
        assert_eq!(welcome["frame"], "welcome", "{welcome}");
        Ok(stream)
    }

    /// The same, where it must work, up to the frame `live`.
    ///
    /// # Panics
    /// When it does not.
    pub async fn join(base: &str, token: &str, after: Option<&str>) -> (Self, Vec<Value>) {
        let mut stream = match Self::try_join(base, token, after).await {
            Ok(stream) => stream,
            Err(closed) => panic!("no stream: {closed:?}"),
        };
        let mut events = stream.until("live", |frame| frame["frame"] == "live").await;
        events.retain(|frame| frame["frame"] == "event");
        (stream, events)
    }

    /// The cursor with which another stream continues.
    #[must_use]
    pub fn cursor(&self) -> String {
        format!("{}:{}", self.epoch, self.position)
    }

    /// Sends a frame; the server may be gone.
    pub async fn send(&mut self, frame: &Value) {
        self.send_message(Message::text(frame.to_string())).await;
    }

    /// Sends any message; the server may be gone.
    pub async fn send_message(&mut self, message: Message) {
        drop(self.socket.send(message).await);
    }

    /// The next frame.
    ///
    /// # Errors
    /// How the stream ended.
    ///
    /// # Panics
    /// When there is none in time, when it is not as documented, or when an event is missing before it.
    pub async fn next(&mut self) -> Result<Value, Closed> {
        self.next_within(DEADLINE).await.unwrap_or_else(|| panic!("no frame in time"))
    }

    /// The next frame, or `None` if there is none within this time.
    ///
    /// # Panics
    /// When it is not as documented, or when an event is missing before it.
    pub async fn next_within(&mut self, within: Duration) -> Option<Result<Value, Closed>> {
        let mut error = None;
        loop {
            let message = timeout(within, self.socket.next()).await.ok()?;
            match message {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                    assert!(text.len() <= 64 * 1024, "{} bytes", text.len());
                    self.note(&frame);
                    if frame["frame"] != "error" {
                        return Some(Ok(frame));
                    }
                    error = Some(frame);
                }
                Some(Ok(Message::Close(Some(close)))) => {
                    return Some(Err(Closed { code: close.code.into(), error }));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Some(Err(Closed { code: 1006, error })),
            }
        }
    }

    fn note(&mut self, frame: &Value) {
        assert_documented(frame);
        let position = frame["position"].as_i64();
        match frame["frame"].as_str() {
            Some("welcome") => {
                self.epoch = frame["epoch"].as_str().expect("documented").to_owned();
                self.position = position.expect("documented");
            }
            Some("event") => {
                assert_eq!(frame["after"], json!(self.position), "an event is missing before {frame}");
                assert!(position > Some(self.position), "{frame} comes twice or too late");
                self.position = position.expect("documented");
            }
            Some("position" | "live") => {
                assert!(position >= Some(self.position), "{frame} leads back");
                self.position = position.expect("documented");
            }
            _ => {}
        }
    }

    /// All frames up to one that is wanted.
    ///
    /// # Panics
    /// When the stream ends before, or nothing comes in time.
    pub async fn until(&mut self, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut frames = vec![];
        loop {
            match self.next_within(DEADLINE).await {
                Some(Ok(frame)) => {
                    let is_last = is_wanted(&frame);
                    frames.push(frame);
                    if is_last {
                        return frames;
                    }
                }
                Some(Err(closed)) => panic!("{closed:?} before {what}; {frames:?}"),
                None => panic!("not in time: {what}; {frames:?}"),
            }
        }
    }

    /// The first event that is wanted.
    pub async fn event(&mut self, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let frames = self.until(what, |frame| frame["frame"] == "event" && is_wanted(frame)).await;
        frames.into_iter().next_back().expect("the wanted one")
    }

    /// Cuts the connection by a reset.
    ///
    /// # Panics
    /// When the socket cannot be told so.
    pub fn reset(self) {
        self.socket.get_ref().set_zero_linger().expect("a socket");
    }

    /// The end of the stream, whatever comes before it.
    pub async fn closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.next().await {
                return closed;
            }
        }
    }
}
