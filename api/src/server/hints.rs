//! What looks like a mistake in the settings of a proxy: it is logged from time to time, and `/readyz` reports it.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;

use super::client_address::TrustedProxies;
use super::proxy_header::ProxyHeader;

/// The shortest pause between two log lines about the same mistake, and how long it is reported after it was seen.
const REPORT_FOR: Duration = Duration::from_secs(3600);

/// A mistake, and the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    Untrusted(IpAddr),
    Elsewhere(IpAddr),
}

impl Mistake {
    fn describe(self) -> String {
        match self {
            Self::Untrusted(proxy) => format!(
                "requests come through a proxy at {proxy}, which TRUSTED_PROXIES does not name: all its clients share one limit"
            ),
            Self::Elsewhere(proxy) => format!(
                "the proxy at {proxy} does not report clients as PROXY_HEADER says: all its clients share one limit"
            ),
        }
    }
}

/// The mistake that was seen last.
#[derive(Debug, Default)]
pub struct ProxyHints {
    seen: Mutex<Option<(Mistake, Instant)>>,
}

impl ProxyHints {
    /// Looks at a request.
    pub fn look(&self, trusted: &TrustedProxies, header: ProxyHeader, (peer, headers): (IpAddr, &HeaderMap)) {
        let peer = peer.to_canonical();
        let mistake = match trusted.trusts(peer) {
            // Strangers may claim anything. A proxy is in the same network.
            false if is_near(peer) && ProxyHeader::is_forwarded(headers) => Mistake::Untrusted(peer),
            true if header.is_elsewhere(headers) => Mistake::Elsewhere(peer),
            _ => return,
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = seen.is_none_or(|(before, at)| before != mistake || at.elapsed() >= REPORT_FOR);
        if is_new {
            *seen = Some((mistake, Instant::now()));
            tracing::warn!("{}", mistake.describe());
        }
    }

    /// The mistake that was seen within the last hour.
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.filter(|(_, at)| at.elapsed() < REPORT_FOR).map(|(mistake, _)| mistake.describe())
    }
}

/// Whether an address is one of a private network or of this machine.
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            // Carrier-grade NAT (RFC 6598), which container networks use, too.
            let is_shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
            address.is_private() || address.is_loopback() || address.is_link_local() || is_shared
        }
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn hint(trusted: &str, header: ProxyHeader, peer: &str, name: &'static str) -> Option<String> {
        let hints = ProxyHints::default();
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static("198.51.100.1"))]);
        hints.look(&trusted.parse().unwrap(), header, (peer.parse().unwrap(), &headers));
        hints.describe()
    }

    #[test]
    fn proxies_that_are_not_trusted_are_named() {
        use ProxyHeader::{Forwarded, XForwardedFor};
        for peer in ["127.0.0.1", "::ffff:10.1.2.3", "172.17.0.2", "100.64.0.9", "fd00::7", "::1"] {
            let hint = hint("", XForwardedFor, peer, "x-forwarded-for").unwrap();
            assert!(hint.contains("TRUSTED_PROXIES"), "{hint}");
        }
        assert!(hint("", Forwarded, "10.0.0.1", "forwarded").is_some());
        assert_eq!(hint("10.0.0.0/8", XForwardedFor, "10.0.0.1", "x-forwarded-for"), None);
        assert_eq!(hint("", XForwardedFor, "198.51.100.7", "x-forwarded-for"), None, "a stranger claims it");
        assert_eq!(hint("", XForwardedFor, "10.0.0.1", "accept"), None);
    }

    #[test]
    fn proxies_that_report_elsewhere_are_named() {
        use ProxyHeader::{Forwarded, XForwardedFor};
        assert!(hint("10.0.0.1", XForwardedFor, "10.0.0.1", "forwarded").unwrap().contains("PROXY_HEADER"));
        assert!(hint("10.0.0.1", Forwarded, "10.0.0.1", "x-forwarded-for").is_some());
        assert_eq!(hint("10.0.0.1", Forwarded, "10.0.0.1", "forwarded"), None);
    }
}
