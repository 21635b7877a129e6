//! The address that a request comes from.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of a client, as far as the server can trust it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(IpAddr);

impl fmt::Display for ClientAddress {
    /// IPv6 addresses are shown as their network: one customer has all of its 2^64 addresses (RFC 6177 §2).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match network_of(self.0) {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

/// The unit that counts as one client: an IPv4 address, or the first address of an IPv6 network of 2^64.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// A list of proxies with an entry that is neither an address nor a network.
#[derive(Debug, thiserror::Error)]
#[error("not a list of IP addresses and networks")]
pub struct InvalidProxies;

impl FromStr for TrustedProxies {
    type Err = InvalidProxies;

    /// From `10.0.0.0/8, 192.0.2.7, 2001:db8::/32`, or from nothing.
    fn from_str(text: &str) -> Result<Self, InvalidProxies> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(|entry| network(entry.trim())).collect::<Result<_, _>>().map(Self)
    }
}

fn network(text: &str) -> Result<IpNet, InvalidProxies> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.into());
    }
    text.parse().map_err(|_| InvalidProxies)
}

impl TrustedProxies {
    /// The client of a request: its peer, or the address that trusted proxies report.
    #[must_use]
    pub fn client_of(&self, extensions: &Extensions, headers: &HeaderMap) -> ClientAddress {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        ClientAddress(self.first_untrusted(peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), headers))
    }

    /// Each proxy appends its peer at the right. The list is therefore believed from the right, up to the first address
    /// that is not one of our proxies: everything to the left of it is the client's own claim.
    fn first_untrusted(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut believed = peer.to_canonical();
        let lists = headers.get_all(FORWARDED_FOR).into_iter().map(|value| value.to_str().unwrap_or_default());
        let hops: Vec<&str> = lists.flat_map(|list| list.split(',')).collect();
        let mut hops = hops.into_iter().rev();
        while self.trusts(believed) {
            // Our proxies write addresses, so anything else is the claim of somebody else.
            let Some(hop) = hops.next().and_then(|hop| parse_hop(hop.trim())) else { break };
            believed = hop.to_canonical();
        }
        believed
    }

    /// Whether an address is one of our proxies.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Some proxies add the port, and some put brackets around IPv6.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    text.parse().ok().or_else(with_port).or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for list in forwarded {
            headers.append(FORWARDED_FOR, list.parse().unwrap());
        }
        let trusted: TrustedProxies = trusted.parse().unwrap();
        trusted.first_untrusted(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn stranger_is_not_believed() {
        assert_eq!(client("", "192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
        assert_eq!(client("10.0.0.0/8", "192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
    }

    #[test]
    fn right_most_untrusted_address_is_the_client() {
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.9.9.9"]), "198.51.100.1");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["1.1.1.1", "198.51.100.1,10.9.9.9"]), "198.51.100.1");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["10.0.0.2, 10.0.0.3"]), "10.0.0.2");
    }

    #[test]
    fn other_texts_end_the_list() {
        for list in ["", "unknown", "1.1.1.1, unknown", "_hidden", "1.1.1.1, ", "1.1.1.256"] {
            assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[list]), "10.0.0.1", "{list:?}");
        }
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["x, 10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn addresses_are_read_in_all_their_forms() {
        assert_eq!(client("::1", "::1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(client("::1", "::1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(client("::1", "::1", &["[2001:db8::1]"]), "2001:db8::1");
        assert_eq!(client("10.0.0.0/8", "::ffff:10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("2001:db8::/32, 10.1.2.3", "2001:db8:ffff::1", &["10.1.2.3"]), "10.1.2.3");
    }

    #[test]
    fn networks_end_where_they_say() {
        let is_in =
            |text: &str, address: &str| text.parse::<TrustedProxies>().unwrap().trusts(address.parse().unwrap());
        assert!(is_in("172.16.0.0/12", "172.31.255.255") && !is_in("172.16.0.0/12", "172.32.0.0"));
        assert!(is_in("0.0.0.0/0", "8.8.8.8") && !is_in("0.0.0.0/0", "::8"));
        assert!(is_in("10.9.9.9/8", "10.0.0.1") && !is_in("10.9.9.9/8", "11.0.0.1"));
        assert!(is_in("10.0.0.1", "10.0.0.1") && !is_in("10.0.0.1", "10.0.0.2"));
        assert!(is_in("fd00::/8", "fdff::1") && !is_in("fd00::/8", "fe00::1"));
    }

    #[test]
    fn other_lists_are_refused() {
        for text in ["proxy", "10.0.0.0/33", "::1/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.1,,10.0.0.2", "10.0.0", ","]
        {
            assert!(text.parse::<TrustedProxies>().is_err(), "{text}");
        }
        assert_eq!(" ".parse::<TrustedProxies>().unwrap(), TrustedProxies::default());
    }

    #[test]
    fn all_addresses_of_an_ipv6_network_are_one_client() {
        let shown = |text: &str| ClientAddress(text.parse().unwrap()).to_string();
        assert_eq!(shown("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(shown("2001:db8:1:2::9"), shown("2001:db8:1:2:3:4:5:6"));
        assert_eq!(shown("192.0.2.1"), "192.0.2.1");
    }
}
