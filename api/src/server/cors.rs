//! The origins whose pages may call this server, such as those that hold the chat widget.

use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may cache the answer to a preflight request.
const REMEMBER: Duration = Duration::from_secs(3600);

/// The headers of requests, and those that tracers of pages add to each request.
const MAY_SEND: [HeaderName; 12] = [
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    HeaderName::from_static("baggage"),
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("if-position-at-least"),
    HeaderName::from_static("prefer"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-request-id"),
];

const MAY_READ: [HeaderName; 11] = [
    header::LOCATION,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("event-epoch"),
    HeaderName::from_static("event-position"),
    HeaderName::from_static("idempotent-replayed"),
    HeaderName::from_static("preference-applied"),
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
    HeaderName::from_static("x-request-id"),
];

/// The origins whose pages may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CorsOrigins {
    /// Only the server's own pages.
    #[default]
    None,
    /// Pages of any origin.
    Any,
    /// Pages of these origins.
    Listed(Vec<HeaderValue>),
}

/// A list with an entry that is not an origin.
#[derive(Debug, thiserror::Error)]
#[error("not a list of origins")]
pub struct InvalidOrigins;

impl FromStr for CorsOrigins {
    type Err = InvalidOrigins;

    /// From `https://shop.example, http://localhost:5173`, from `*`, or from nothing.
    fn from_str(text: &str) -> Result<Self, InvalidOrigins> {
        match text.trim() {
            "" => Ok(Self::None),
            "*" => Ok(Self::Any),
            list => list.split(',').map(origin).collect::<Result<_, _>>().map(Self::Listed),
        }
    }
}

/// An origin as browsers send it (RFC 6454 §6.2): scheme, host and port, in lower case, without a slash at its end.
fn origin(text: &str) -> Result<HeaderValue, InvalidOrigins> {
    let text = text.trim().to_ascii_lowercase();
    let (scheme, rest) = text.split_once("://").ok_or(InvalidOrigins)?;
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let scheme_is_fine = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let host_is_fine = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._[]:".contains(c));
    let default = matches!((scheme, port), ("http", Some("80")) | ("https", Some("443")));
    let port_is_fine = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number.to_string() == port));
    if !(scheme_is_fine && host_is_fine && port_is_fine) {
        return Err(InvalidOrigins);
    }
    // Browsers omit the scheme's default port.
    let shown = if default { format!("{scheme}://{host}") } else { text.clone() };
    HeaderValue::from_str(&shown).map_err(|_| InvalidOrigins)
}

impl CorsOrigins {
    /// Whether pages of an origin may call.
    #[must_use]
    pub fn allows(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::None => false,
            Self::Any => true,
            Self::Listed(origins) => origins.contains(origin),
        }
    }

    /// The layer that answers browsers; `None` if no other origin may call. Tokens are sent in headers, so credentials
    /// (cookies) stay forbidden.
    #[must_use]
    pub fn layer(&self) -> Option<CorsLayer> {
        let origins = match self {
            Self::None => return None,
            Self::Any => AllowOrigin::any(),
            Self::Listed(origins) => AllowOrigin::list(origins.iter().cloned()),
        };
        let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        let layer = CorsLayer::new().allow_origin(origins).allow_methods(methods).allow_headers(MAY_SEND);
        Some(layer.expose_headers(MAY_READ).max_age(REMEMBER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<String> {
        let Ok(CorsOrigins::Listed(origins)) = text.parse() else { panic!("{text} is no list") };
        origins.iter().map(|origin| origin.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn origins_are_read_as_browsers_send_them() {
        assert_eq!("".parse::<CorsOrigins>().unwrap(), CorsOrigins::None);
        assert_eq!(" * ".parse::<CorsOrigins>().unwrap(), CorsOrigins::Any);
        assert_eq!(
            listed("https://Shop.example, http://localhost:5173"),
            ["https://shop.example", "http://localhost:5173"]
        );
        assert_eq!(listed("https://a.example:443,http://b.example:80"), ["https://a.example", "http://b.example"]);
        assert_eq!(listed("http://[::1]:8080,http://[::1],capacitor://localhost").len(), 3);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "shop.example",
            "https://shop.example/",
            "https://shop.example/path",
            "https://",
            "https://a.example,",
            "https://a.example,*",
            "https://a b.example",
            "https://a.example:port",
            "https://a.example:099",
            "https://a.example:70000",
            "null",
            "https://*.example",
        ] {
            assert!(text.parse::<CorsOrigins>().is_err(), "{text}");
        }
    }
}
