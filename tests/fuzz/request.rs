//! A request, before it is sent.

use std::fmt;

use harness::Client;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;

use crate::people::Role;

/// A body as bytes.
#[derive(Clone, Debug)]
pub struct Body {
    pub media_type: Option<String>,
    pub bytes: Vec<u8>,
}

/// A request to an operation.
#[derive(Clone, Debug)]
pub struct Request {
    pub operation: &'static str,
    pub method: Method,
    pub template: &'static str,
    /// The names in the template with their values, not yet encoded.
    pub path: Vec<(&'static str, String)>,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(&'static str, Vec<u8>)>,
    pub body: Option<Body>,
    pub role: Role,
    pub token: Option<String>,
    /// Whether it was spoiled on purpose.
    pub is_hostile: bool,
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl Request {
    /// The value of a name in the path.
    pub fn in_path(&self, name: &str) -> Option<&str> {
        self.path.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The path with its query, as it is sent.
    pub fn target(&self) -> String {
        let path = self.path.iter().fold(self.template.to_owned(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), &encoded(value))
        });
        let query: Vec<_> =
            self.query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// For a server at this base.
    pub fn build(&self, http: &reqwest::Client, base: &Client) -> reqwest::RequestBuilder {
        let mut request = http.request(self.method.clone(), format!("{}{}", base.base(), self.target()));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value.as_slice());
        }
        if let Some(body) = &self.body {
            request = body.media_type.iter().fold(request, |request, kind| request.header("Content-Type", kind));
            request = request.body(body.bytes.clone());
        }
        request
    }
}

/// Everything but the token.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {:?}: {} {}", self.operation, self.role, self.method, self.target())?;
        for (name, value) in &self.headers {
            write!(f, " {name}: {}", value.escape_ascii())?;
        }
        if let Some(Body { media_type, bytes }) = &self.body {
            let start = &bytes[..bytes.len().min(600)];
            write!(f, " [{}] {}", media_type.as_deref().unwrap_or("no type"), String::from_utf8_lossy(start))?;
        }
        Ok(())
    }
}
