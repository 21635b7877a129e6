//! The address that a request comes from.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;

use super::proxy_header::ProxyHeader;

/// The address of a client, as far as the server can trust it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAddress {
    /// The client's own address.
    Known(IpAddr),
    /// This trusted proxy reports its client, but not by an address. Such clients are counted together, and apart from the
    /// proxy's own requests: otherwise they could use up the health checks of the proxy.
    HiddenBy(IpAddr),
}

impl fmt::Display for ClientAddress {
    /// IPv6 addresses are shown as their network: one customer has all of its 2^64 addresses (RFC 6177 §2).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (address, prefix) = match self {
            Self::Known(address) => (address, ""),
            Self::HiddenBy(proxy) => (proxy, "unknown behind "),
        };
        match network_of(*address) {
            IpAddr::V4(address) => write!(f, "{prefix}{address}"),
            IpAddr::V6(network) => write!(f, "{prefix}{network}/64"),
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
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self::Known(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

/// The proxies whose word about their clients is believed.
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
        return Ok(address.to_canonical().into());
    }
    text.parse().map(canonical).map_err(|_| InvalidProxies)
}

/// The network in the form in which addresses are compared: IPv4 addresses may be written as IPv6 (RFC 4291 §2.5.5.2).
fn canonical(network: IpNet) -> IpNet {
    const IPV4_BITS: u8 = 32;
    const MAPPED_PREFIX: u8 = 128 - IPV4_BITS;
    let IpNet::V6(mapped) = network else { return network };
    let length = mapped.prefix_len().checked_sub(MAPPED_PREFIX);
    let address = mapped.network().to_ipv4_mapped();
    length.zip(address).and_then(|(length, address)| IpNet::new(address.into(), length).ok()).unwrap_or(network)
}

impl TrustedProxies {
    /// The client of a request: its peer, or the address that trusted proxies report.
    #[must_use]
    pub fn client_of(&self, header: ProxyHeader, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        self.first_untrusted(peer, header.hops(headers))
    }

    /// Each proxy appends its peer at the right. The list is therefore believed from the right, up to the first address
    /// that is not one of our proxies: everything to the left of it is the client's own claim.
    fn first_untrusted(&self, peer: IpAddr, hops: Vec<Option<IpAddr>>) -> ClientAddress {
        let mut believed = peer.to_canonical();
        let mut hops = hops.into_iter();
        while self.trusts(believed) {
            let Some(hop) = hops.next() else { break };
            // A proxy that does not write an address hides its client.
            let Some(address) = hop else { return ClientAddress::HiddenBy(believed) };
            believed = address.to_canonical();
        }
        ClientAddress::Known(believed)
    }

    /// Whether an address is one of our proxies.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The address at the other end of the connection of a request: the client that a PROXY header has announced, or else the peer.
#[must_use]
pub fn peer_of(extensions: &Extensions) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        client_by(trusted, peer, &forwarded.iter().map(|list| list.as_bytes()).collect::<Vec<_>>())
    }

    fn client_by(trusted: &str, peer: &str, forwarded: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for list in forwarded {
            headers.append("x-forwarded-for", axum::http::HeaderValue::from_bytes(list).unwrap());
        }
        let trusted: TrustedProxies = trusted.parse().unwrap();
        let hops = ProxyHeader::XForwardedFor.hops(&headers);
        trusted.first_untrusted(peer.parse().unwrap(), hops).to_string()
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
    fn client_whose_proxy_writes_no_address_is_not_taken_for_the_proxy() {
        for list in ["unknown", "1.1.1.1, unknown", "_hidden", "1.1.1.256", "203.0.113.9 203.0.113.8", "unknown, ,"] {
            assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[list]), "unknown behind 10.0.0.1", "{list:?}");
        }
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["x, 10.0.0.2"]), "unknown behind 10.0.0.2");
        assert_eq!(client("::1", "::1", &["unknown"]), "unknown behind ::/64");
    }

    #[test]
    fn requests_of_the_proxy_itself_count_for_the_proxy() {
        for lists in [&[][..], &[""], &[" , ,"], &["10.0.0.1"]] {
            assert_eq!(client("10.0.0.0/8", "10.0.0.1", lists), "10.0.0.1", "{lists:?}");
        }
    }

    #[test]
    fn no_byte_of_a_client_spoils_what_the_proxy_appends() {
        for byte in (0x20..=0xff).filter(|byte| *byte != 0x7f) {
            let claimed = [byte, b',', byte, b' ', b',', b' '];
            let in_one_line = [&claimed[..], b"203.0.113.9"].concat();
            assert_eq!(client_by("10.0.0.0/8", "10.0.0.1", &[&in_one_line]), "203.0.113.9", "{byte:#x}");
            let behind_two = [&claimed[..], b"203.0.113.9,10.0.0.7"].concat();
            assert_eq!(client_by("10.0.0.0/8", "10.0.0.1", &[&behind_two]), "203.0.113.9", "{byte:#x}");
            assert_eq!(client_by("10.0.0.0/8", "10.0.0.1", &[&claimed, b"203.0.113.9"]), "203.0.113.9", "{byte:#x}");
        }
    }

    #[test]
    fn addresses_are_read_in_all_their_forms() {
        assert_eq!(client("::1", "::1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(client("::1", "::1", &["[2001:db8::1]:4711"]), "2001:db8::/64");
        assert_eq!(client("::1", "::1", &["[2001:db8::1]"]), "2001:db8::/64");
        assert_eq!(client("::1", "::1", &["fe80::1%eth0"]), "fe80::/64");
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
    fn proxies_are_trusted_in_every_spelling() {
        let is_in =
            |text: &str, address: &str| text.parse::<TrustedProxies>().unwrap().trusts(address.parse().unwrap());
        for spelling in [
            "127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:7f00:1",
            "::FFFF:127.0.0.1/128",
            "0:0:0:0:0:ffff:127.0.0.0/104",
            "127.0.0.0/8",
            "127.0.0.9/8",
        ] {
            assert!(is_in(spelling, "127.0.0.1"), "{spelling}");
        }
        assert!(is_in("::ffff:10.0.0.0/104", "10.255.0.1") && !is_in("::ffff:10.0.0.0/104", "11.0.0.1"));
        // Wider than all of IPv4: a network of IPv6, in which no canonical address of IPv4 lies.
        assert!(!is_in("::/0", "10.0.0.1"));
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
        let shown = |text: &str| ClientAddress::Known(text.parse().unwrap()).to_string();
        assert_eq!(shown("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(shown("2001:db8:1:2::9"), shown("2001:db8:1:2:3:4:5:6"));
        assert_eq!(shown("192.0.2.1"), "192.0.2.1");
    }
}
