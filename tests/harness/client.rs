//! An HTTP client that hides nothing.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

use crate::conformance;

/// Speaks to one server, with or without a bearer token. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    token: Option<String>,
    headers: Vec<(String, String)>,
    http: reqwest::Client,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The JSON of the body; null when it is empty, a string when it is not JSON.
    pub body: Value,
}

impl Client {
    /// For the server at such a URL: `http://127.0.0.1:3000`.
    ///
    /// # Panics
    /// When there can be no client.
    #[must_use]
    pub fn new(base: impl Into<String>) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()
            .expect("an HTTP client without TLS can be made");
        Self { base: base.into().trim_end_matches('/').to_owned(), token: None, headers: Vec::new(), http }
    }

    /// The same, with a bearer token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// The same, with one more header field in each request.
    #[must_use]
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The URL of the server.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The bearer token.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// `GET` of a path, which may hold a query.
    pub async fn get(&self, path: &str) -> Reply {
        self.request(Method::GET, path, None).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.request(Method::POST, path, Some(body)).await
    }

    /// `PUT` of JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.request(Method::PUT, path, Some(body)).await
    }

    /// `PATCH` of JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.request(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE` of a path.
    pub async fn delete(&self, path: &str) -> Reply {
        self.request(Method::DELETE, path, None).await
    }

    /// Any method, with JSON or without a body.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let bytes = body.map(|body| body.to_string().into_bytes());
        let content_type = body.map(|_| "application/json");
        self.send_bytes(method, path, content_type, bytes.unwrap_or_default()).await
    }

    /// Any bytes as the body, with any content type or none.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn send_bytes(&self, method: Method, path: &str, content_type: Option<&str>, bytes: Vec<u8>) -> Reply {
        let what = format!("{method} {path}");
        match self.try_send_bytes(method, path, content_type, bytes).await {
            Ok(reply) => reply,
            Err(error) => panic!("{what} had no answer: {error:?}"),
        }
    }

    /// Like [`Client::send_bytes`], for servers that may go away.
    ///
    /// # Errors
    /// When there is no answer.
    ///
    /// # Panics
    /// When the answer is not as the OpenAPI document has it.
    pub async fn try_send_bytes(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        bytes: Vec<u8>,
    ) -> Result<Reply, reqwest::Error> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        if !bytes.is_empty() {
            request = request.body(bytes);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Reply::read(request.send().await?, &method, path).await
    }

    /// Like [`Client::request`], for servers that may go away.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn try_request(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Reply, reqwest::Error> {
        let bytes = body.map(|body| body.to_string().into_bytes());
        self.try_send_bytes(method, path, body.map(|_| "application/json"), bytes.unwrap_or_default()).await
    }
}

impl Reply {
    async fn read(response: reqwest::Response, method: &Method, path: &str) -> Result<Self, reqwest::Error> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await?;
        // Not where time is measured.
        if cfg!(debug_assertions)
            && let Err(what) = conformance::check(method, path, status, &headers, &bytes)
        {
            panic!("not as documented: {what}; the answer was {}", String::from_utf8_lossy(&bytes));
        }
        Ok(Self { status, headers, body: body_of(&bytes) })
    }

    /// The same answer, if it has this status.
    ///
    /// # Panics
    /// When it has another; the message holds the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the answer was {}", self.body);
        self
    }

    /// A header field as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The `Event-Position` of a write.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[track_caller]
    pub fn position(&self) -> i64 {
        let position = self.header("event-position").and_then(|text| text.parse().ok());
        position.unwrap_or_else(|| panic!("no Event-Position in the answer {}: {}", self.status, self.body))
    }

    /// A text of the body by its JSON pointer, such as `/agent/id`.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[track_caller]
    pub fn text(&self, pointer: &str) -> &str {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no text at {pointer} in the answer {}: {}", self.status, self.body))
    }
}

fn body_of(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}
