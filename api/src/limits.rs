//! How often somebody may call: the one table of published numbers, and what keeps to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{Principal, Rate, RateLimit, RateLimiter};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::client_address::TrustedProxies;
use crate::rest::extract::named_principal;
use crate::rest::problem::Problem;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// A published limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Keeps its counts apart from those of other limits.
    name: &'static str,
    rate: Rate,
}

/// New chats, by address.
pub const WIDGET_SESSIONS: Limit = Limit::new("widget", 30, 60);
/// Messages of a visitor.
pub const VISITOR_SENDS: Limit = Limit::new("visitor-sends", 60, 60);
/// Messages of an agent.
pub const AGENT_SENDS: Limit = Limit::new("agent-sends", 600, 60);
/// Log-ins, whatever comes of them, by address.
pub const LOG_INS: Limit = Limit::new("log-ins", 60, 60);
/// Questions about the service's health, by address; apart from the rest, so that a busy neighbour of the one who asks
/// does not make the service look dead.
pub const PROBES: Limit = Limit::new("probes", 1_200, 60);
/// All other requests, by visitor or agent, else by address.
pub const REQUESTS: Limit = Limit::new("requests", 1_200, 60);

impl Limit {
    const fn new(name: &'static str, times: u32, seconds: u64) -> Self {
        Self { name, rate: Rate { times, window: Duration::from_secs(seconds) } }
    }

    fn key(self, who: impl fmt::Display) -> String {
        format!("{}:{who}", self.name)
    }

    /// The limit of a request; `principal` is whom its token names.
    fn of(method: &Method, route: &str, principal: Option<Principal>) -> (Self, Option<Principal>) {
        match (method.as_str(), route, principal) {
            ("POST", "/v1/widget/session", _) => (WIDGET_SESSIONS, None),
            ("POST", "/v1/auth/login", _) => (LOG_INS, None),
            ("POST", "/v1/threads/{id}/events" | "/v1/conversations/{id}/events", Some(sender)) => match sender {
                Principal::Visitor { .. } => (VISITOR_SENDS, principal),
                Principal::Agent { .. } => (AGENT_SENDS, principal),
            },
            (_, "/health" | "/livez" | "/readyz", _) => (PROBES, None),
            _ => (REQUESTS, principal),
        }
    }
}

/// Keeps callers to the limits.
pub struct Limits {
    /// None where limits are off.
    limiter: Option<Arc<dyn RateLimiter>>,
    trusted: TrustedProxies,
}

impl Limits {
    /// Counts with this, or does not limit at all.
    #[must_use]
    pub const fn new(limiter: Option<Arc<dyn RateLimiter>>, trusted: TrustedProxies) -> Self {
        Self { limiter, trusted }
    }
}

/// Finds the client's address, and refuses requests beyond their limit before anything else is done for them.
pub async fn limit_requests(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let address = app.limits.trusted.client_of(request.extensions(), request.headers());
    request.extensions_mut().insert(address);
    let Some(limiter) = &app.limits.limiter else { return next.run(request).await };
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let principal = named_principal(request.headers(), &app);
    let (limit, counted) = Limit::of(request.method(), route, principal);
    let key = counted.map_or_else(|| limit.key(address), |principal| limit.key(principal.actor()));
    let standing = limiter.take(&key, limit.rate).await;
    if !standing.allowed {
        return Problem::rate_limited(standing).into_response();
    }
    let mut response = next.run(request).await;
    tell(response.headers_mut(), standing);
    response
}

/// Writes where the caller stands, as in draft-ietf-httpapi-ratelimit-headers-07.
pub fn tell(headers: &mut HeaderMap, standing: RateLimit) {
    headers.insert(LIMIT, HeaderValue::from(standing.limit));
    headers.insert(REMAINING, HeaderValue::from(standing.remaining));
    headers.insert(RESET, HeaderValue::from(standing.reset_seconds));
}
