//! The outer edge that all doors share: trusted proxies and origins, and whether this node still takes requests.

use std::sync::atomic::{AtomicBool, Ordering};

use subtle::ConstantTimeEq as _;

use crate::metrics::Metrics;
use crate::server::client_address::TrustedProxies;
use crate::server::cors::CorsOrigins;

/// The edge of the program, shared by all doors.
pub struct Edge {
    /// The proxies whose word about client addresses counts.
    pub trusted: TrustedProxies,
    /// The origins whose pages may call.
    pub cors_origins: CorsOrigins,
    /// The token of programs that scrape the metrics.
    pub metrics_token: Vec<u8>,
    /// The figures of this process.
    pub metrics: Metrics,
    /// Whether the program is about to end.
    pub draining: AtomicBool,
}

impl Edge {
    /// Whether a token is that for metrics. The time of the comparison says nothing about it.
    #[must_use]
    pub fn is_monitor(&self, token: Option<&str>) -> bool {
        token.is_some_and(|given| given.as_bytes().ct_eq(&self.metrics_token).into())
    }

    /// Makes readiness checks fail, so that no more requests are sent here.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the program is about to end.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
