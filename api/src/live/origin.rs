//! Browsers let any page open a WebSocket anywhere, so the server itself checks where the page comes from.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue};

use crate::server::cors::CorsOrigins;
use crate::service::Refusal;

/// Refuses pages of origins that may not call. Requests without an origin come from programs.
///
/// # Errors
/// [`crate::service::Code::Forbidden`].
pub fn ensure_allowed(headers: &HeaderMap, allowed: &CorsOrigins) -> Result<(), Refusal> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    if is_own(origin, headers.get(HOST)) || allowed.allows(origin) {
        return Ok(());
    }
    Err(Refusal::forbidden("Pages of this origin may not open a stream."))
}

/// Whether a page comes from this server. The scheme is the proxy's matter.
fn is_own(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    let host = host.and_then(|host| host.to_str().ok());
    matches!((authority, host), (Some(authority), Some(host)) if authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(origin: Option<&'static str>, allowed: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("chat.example:3000"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        ensure_allowed(&headers, &allowed.parse().unwrap()).is_ok()
    }

    #[test]
    fn programs_and_own_pages_are_let_in() {
        assert!(is_allowed(None, ""));
        assert!(is_allowed(Some("http://chat.example:3000"), ""));
        assert!(is_allowed(Some("https://CHAT.example:3000"), ""));
    }

    #[test]
    fn pages_of_other_origins_need_to_be_listed() {
        for origin in ["https://shop.example", "http://chat.example", "null", "http://chat.example:3000.evil.example"] {
            assert!(!is_allowed(Some(origin), ""), "{origin}");
            assert!(is_allowed(Some(origin), "*"), "{origin}");
        }
        assert!(is_allowed(Some("https://shop.example"), "https://shop.example, https://other.example"));
        assert!(!is_allowed(Some("https://shop.example.evil.example"), "https://shop.example"));
    }
}
