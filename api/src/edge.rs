//! The outer edge that all doors share: trusted proxies and origins, and whether this node still takes requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use application::ports::Ids;
use axum::extract::Request;
use subtle::ConstantTimeEq as _;

use crate::metrics::Metrics;
use crate::server::Strangers;
use crate::server::client_address::{ClientAddress, TrustedProxies, peer_of};
use crate::server::cors::CorsOrigins;
use crate::server::hints::ProxyHints;
use crate::server::proxy_header::ProxyHeader;

/// The edge of the program, shared by all doors.
pub struct Edge {
    /// The proxies whose word about client addresses counts.
    pub trusted: TrustedProxies,
    /// Where they report clients.
    pub proxy_header: ProxyHeader,
    /// What looks wrong about proxies.
    pub proxy_hints: ProxyHints,
    /// The origins whose pages may call.
    pub cors_origins: CorsOrigins,
    /// The token of programs that scrape the metrics.
    pub metrics_token: Vec<u8>,
    /// The figures of this process.
    pub metrics: Metrics,
    /// Whether the program is about to end.
    pub draining: AtomicBool,
    /// Streams that have not shown a valid token.
    pub strangers: Strangers,
    /// Random numbers for jitter.
    pub ids: Arc<dyn Ids>,
}

/// The longest pause that a client is asked to make before it opens its stream again.
const LONGEST_RETRY: f64 = 10_000.0;

/// The shortest such pause.
const SHORTEST_RETRY: f64 = 1_000.0;

impl Edge {
    /// The client of a request, as far as it can be trusted.
    #[must_use]
    pub fn client_of(&self, request: &Request) -> ClientAddress {
        let (peer, headers) = (peer_of(request.extensions()), request.headers());
        self.proxy_hints.look(&self.trusted, self.proxy_header, (peer, headers));
        self.trusted.client_of(self.proxy_header, peer, headers)
    }

    /// Whether a token is that for metrics. The time of the comparison says nothing about it.
    #[must_use]
    pub fn is_monitor(&self, token: Option<&str>) -> bool {
        token.is_some_and(|given| given.as_bytes().ct_eq(&self.metrics_token).into())
    }

    /// Makes readiness checks fail, so that no more requests are sent here.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// A pause before a client comes back, in milliseconds: another one for each client, so that they do not come at once.
    #[must_use]
    pub fn retry_in_ms(&self) -> u64 {
        (SHORTEST_RETRY + self.ids.fraction() * (LONGEST_RETRY - SHORTEST_RETRY)) as u64
    }

    /// Whether the program is about to end.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
