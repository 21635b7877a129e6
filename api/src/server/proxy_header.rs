//! How proxies report the client of a request.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};
use clap::ValueEnum;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where trusted proxies report the client. Only one place is believed: a proxy passes the other headers on as its client
/// sent them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ProxyHeader {
    /// X-Forwarded-For
    #[default]
    XForwardedFor,
    /// Forwarded (RFC 7239)
    Forwarded,
    /// PROXY protocol, version 1 or 2, at the beginning of each connection
    ProxyProtocol,
}

impl ProxyHeader {
    /// The addresses that the proxies of a request report, the last proxy's first. `None` stands for what is no address.
    pub(super) fn hops(self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        let values =
            |name: HeaderName| headers.get_all(name).into_iter().map(|value| value.as_bytes()).collect::<Vec<_>>();
        match self {
            Self::XForwardedFor => {
                let hops = values(X_FORWARDED_FOR);
                hops.into_iter()
                    .rev()
                    .flat_map(|list| list.rsplit(|byte| *byte == b','))
                    .filter(is_element)
                    .map(parse_hop)
                    .collect()
            }
            Self::Forwarded => values(header::FORWARDED).into_iter().rev().flat_map(forwarded).collect(),
            Self::ProxyProtocol => vec![],
        }
    }

    /// Whether the proxies of a request report its client, but not where they are believed to.
    pub(super) fn is_elsewhere(self, headers: &HeaderMap) -> bool {
        let (listed, forwarded) = (headers.contains_key(X_FORWARDED_FOR), headers.contains_key(header::FORWARDED));
        match self {
            Self::XForwardedFor => forwarded && !listed,
            Self::Forwarded => listed && !forwarded,
            Self::ProxyProtocol => false,
        }
    }

    /// Whether a request came through a proxy that says so.
    pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
        headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(header::FORWARDED)
    }
}

/// Some proxies add the port, some put brackets around IPv6, and some name the zone (RFC 4007 §11) of a link-local address.
fn parse_hop(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let without_zone =
        || bare.split_once('%').and_then(|(address, _)| address.parse::<Ipv6Addr>().ok()).map(IpAddr::V6);
    bare.parse().ok().or_else(with_port).or_else(without_zone)
}

/// Empty elements of a list do not count (RFC 9110 §5.6.1.2).
fn is_element(text: &&[u8]) -> bool {
    !text.trim_ascii().is_empty()
}

/// The `for` of each element, from the right. The quotation marks are counted from there, too: those that a client has
/// opened must not hide what the proxy has added.
fn forwarded(value: &[u8]) -> Vec<Option<IpAddr>> {
    rsplit_unquoted(value, b',').into_iter().filter(is_element).map(client_of_element).collect()
}

fn client_of_element(element: &[u8]) -> Option<IpAddr> {
    let pairs = rsplit_unquoted(element, b';').into_iter().filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
        name.eq_ignore_ascii_case(b"for").then_some(value)
    });
    let mut values = pairs;
    // Given twice, it says nothing.
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    parse_hop(value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value))
}

fn rsplit_unquoted(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut parts, mut end, mut quoted) = (vec![], text.len(), false);
    for (at, byte) in text.iter().enumerate().rev() {
        match *byte {
            b'"' => quoted = !quoted,
            byte if byte == separator && !quoted => {
                parts.push(&text[at + 1..end]);
                end = at;
            }
            _ => {}
        }
    }
    parts.push(&text[..end]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hops(header: ProxyHeader, lines: &[&[u8]]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            let name = if header == ProxyHeader::Forwarded { header::FORWARDED } else { X_FORWARDED_FOR };
            headers.append(name, axum::http::HeaderValue::from_bytes(line).unwrap());
        }
        let shown = |hop: Option<IpAddr>| hop.map_or("-".to_owned(), |hop| hop.to_string());
        header.hops(&headers).into_iter().map(shown).collect()
    }

    #[test]
    fn forwarded_is_read_from_the_right() {
        let read = |lines: &[&str]| {
            hops(ProxyHeader::Forwarded, &lines.iter().map(|line| line.as_bytes()).collect::<Vec<_>>())
        };
        assert_eq!(read(&["for=192.0.2.43"]), ["192.0.2.43"]);
        assert_eq!(
            read(&["for=192.0.2.43, for=198.51.100.17;by=203.0.113.60;proto=http"]),
            ["198.51.100.17", "192.0.2.43"]
        );
        assert_eq!(read(&["For=192.0.2.1", "proto=https; FOR=\"192.0.2.2:4711\";host=a"]), ["192.0.2.2", "192.0.2.1"]);
        assert_eq!(read(&["for=\"[2001:db8:cafe::17]:4711\""]), ["2001:db8:cafe::17"]);
        assert_eq!(read(&["for=\"[2001:db8:cafe::17]\""]), ["2001:db8:cafe::17"]);
    }

    #[test]
    fn what_is_no_address_is_none() {
        for element in ["for=unknown", "for=_hidden", "by=192.0.2.1", "for=", "for", "for=1.1.1.1;for=2.2.2.2"] {
            assert_eq!(hops(ProxyHeader::Forwarded, &[element.as_bytes()]), ["-"], "{element:?}");
        }
    }

    #[test]
    fn what_a_client_sends_does_not_hide_what_the_proxy_adds() {
        for claim in ["for=\"", "for=\"1.1.1.1", "\"\\\"", "for=1.1.1.1;x=\"", "\u{e9}", ",,,", "for=\"1.1.1.1, \""] {
            let line = format!("{claim}, for=192.0.2.9");
            assert_eq!(hops(ProxyHeader::Forwarded, &[line.as_bytes()])[0], "192.0.2.9", "{claim:?}");
            let line = format!("{claim}, 192.0.2.9");
            assert_eq!(hops(ProxyHeader::XForwardedFor, &[line.as_bytes()])[0], "192.0.2.9", "{claim:?}");
        }
        assert_eq!(hops(ProxyHeader::XForwardedFor, &[b"\xff, 192.0.2.9"]), ["192.0.2.9", "-"]);
    }

    #[test]
    fn proxies_that_report_elsewhere_are_noticed() {
        let with =
            |name: HeaderName| HeaderMap::from_iter([(name, axum::http::HeaderValue::from_static("for=192.0.2.1"))]);
        assert!(ProxyHeader::XForwardedFor.is_elsewhere(&with(header::FORWARDED)));
        assert!(ProxyHeader::Forwarded.is_elsewhere(&with(X_FORWARDED_FOR)));
        assert!(!ProxyHeader::Forwarded.is_elsewhere(&with(header::FORWARDED)));
        assert!(!ProxyHeader::XForwardedFor.is_elsewhere(&HeaderMap::new()));
    }
}
