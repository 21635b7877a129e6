//! What browsers may do on behalf of a page.

use axum::http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::server::cors::CorsOrigins;

/// Files and requests of this server only, nothing inline, and no text that becomes a script.
const STRICT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    manifest-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The same for a page whose library writes styles and texts as HTML, and brings its fonts along.
const WITH_STYLES: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Which pages may stand in each other.
pub(super) enum Policy<'a> {
    /// It stands in no other page, and no other in it.
    Alone,
    /// As [`Self::Alone`], with styles that a library writes: for tools of developers only.
    WithStyles,
    /// The widget stands in it.
    WithWidget,
    /// It stands in pages of this server and of these origins.
    Framed(&'a CorsOrigins),
}

impl Policy<'_> {
    /// Adds the headers.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let policy = match self {
            Self::Alone => format!("{STRICT}; frame-ancestors 'none'"),
            Self::WithStyles => WITH_STYLES.to_owned(),
            Self::WithWidget => format!("{STRICT}; frame-src 'self'; frame-ancestors 'none'"),
            Self::Framed(origins) => format!("{STRICT}; frame-ancestors {}", ancestors(origins)),
        };
        let policy = HeaderValue::try_from(policy).expect("origins are header values");
        headers.insert(CONTENT_SECURITY_POLICY, policy);
        headers.insert(PERMISSIONS, HeaderValue::from_static("camera=(), geolocation=(), microphone=()"));
        if !matches!(self, Self::Framed(_)) {
            headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
            headers.insert(OPENER, HeaderValue::from_static("same-origin"));
        }
    }
}

/// The origins whose pages may hold the widget are those that may call.
fn ancestors(origins: &CorsOrigins) -> String {
    match origins {
        CorsOrigins::None => "'self'".to_owned(),
        CorsOrigins::Any => "*".to_owned(),
        CorsOrigins::Listed(origins) => {
            let listed = origins.iter().filter_map(|origin| origin.to_str().ok());
            ["'self'"].into_iter().chain(listed).collect::<Vec<_>>().join(" ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(policy: &Policy<'_>) -> (String, bool) {
        let mut headers = HeaderMap::new();
        policy.write(&mut headers);
        let text = headers[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        (text, headers.contains_key(X_FRAME_OPTIONS))
    }

    #[test]
    fn widget_stands_in_the_sites_that_may_call() {
        for (sites, ancestors) in [
            ("", "frame-ancestors 'self'"),
            ("*", "frame-ancestors *"),
            (
                "https://a.example, https://b.example:8443",
                "frame-ancestors 'self' https://a.example https://b.example:8443",
            ),
        ] {
            let (policy, denied) = written(&Policy::Framed(&sites.parse().unwrap()));
            assert!(policy.ends_with(ancestors), "{policy}");
            assert!(!denied);
        }
    }

    #[test]
    fn other_pages_stand_in_none() {
        for policy in [Policy::Alone, Policy::WithStyles, Policy::WithWidget] {
            let (policy, denied) = written(&policy);
            assert!(policy.ends_with("frame-ancestors 'none'") && denied, "{policy}");
        }
    }

    #[test]
    fn page_with_styles_of_a_library_has_no_foreign_script_and_asks_no_other_server() {
        let (policy, _) = written(&Policy::WithStyles);
        assert!(policy.contains("script-src 'self';") && policy.contains("connect-src 'self';"), "{policy}");
    }

    #[test]
    fn nothing_inline_is_allowed_anywhere() {
        for policy in [Policy::Alone, Policy::WithWidget, Policy::Framed(&CorsOrigins::Any)] {
            let (policy, _) = written(&policy);
            assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
        }
    }
}
