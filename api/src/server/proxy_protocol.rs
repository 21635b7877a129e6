//! The PROXY protocol, by which a proxy that does not look into a connection announces its client
//! (<https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>).

use std::io;
use std::net::{IpAddr, SocketAddr};

use ppp::HeaderResult;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What both versions have at least: the signature of version 2, or `PROXY UNKNOWN`.
const BEGINNING: usize = 12;
const SIGNATURE: [u8; BEGINNING] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The longest line of version 1.
const LONGEST_LINE: usize = 107;

/// The most bytes of addresses and extensions in version 2 that are read.
const MOST_EXTENSIONS: usize = 4096;

/// Reads the announcement at the beginning of a connection, and nothing after it. Returns the client, or `None` when the
/// proxy speaks for itself, as in its health checks.
///
/// # Errors
/// When there is no announcement, or the connection ends.
pub(super) async fn read_client(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut header = vec![0; BEGINNING];
    stream.read_exact(&mut header).await?;
    if header == SIGNATURE {
        read_binary(stream, &mut header).await?;
    } else if header.starts_with(b"PROXY ") {
        read_line(stream, &mut header).await?;
    }
    parse(&header).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no header of the PROXY protocol"))
}

async fn read_binary(stream: &mut (impl AsyncRead + Unpin), header: &mut Vec<u8>) -> io::Result<()> {
    let mut rest = [0; 4];
    stream.read_exact(&mut rest).await?;
    header.extend(rest);
    let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
    if length > MOST_EXTENSIONS {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the header of the PROXY protocol is too long"));
    }
    let start = header.len();
    header.resize(start + length, 0);
    stream.read_exact(&mut header[start..]).await?;
    Ok(())
}

/// Byte by byte: what follows the line is HTTP.
async fn read_line(stream: &mut (impl AsyncRead + Unpin), header: &mut Vec<u8>) -> io::Result<()> {
    while !header.ends_with(b"\r\n") && header.len() < LONGEST_LINE {
        header.push(stream.read_u8().await?);
    }
    Ok(())
}

fn parse(header: &[u8]) -> Option<Option<SocketAddr>> {
    match HeaderResult::parse(header) {
        HeaderResult::V1(Ok(header)) => Some(match header.addresses {
            ppp::v1::Addresses::Tcp4(found) => Some((IpAddr::V4(found.source_address), found.source_port).into()),
            ppp::v1::Addresses::Tcp6(found) => Some((IpAddr::V6(found.source_address), found.source_port).into()),
            ppp::v1::Addresses::Unknown => None,
        }),
        HeaderResult::V2(Ok(header)) if header.command == ppp::v2::Command::Local => Some(None),
        HeaderResult::V2(Ok(header)) => Some(match header.addresses {
            ppp::v2::Addresses::IPv4(found) => Some((IpAddr::V4(found.source_address), found.source_port).into()),
            ppp::v2::Addresses::IPv6(found) => Some((IpAddr::V6(found.source_address), found.source_port).into()),
            ppp::v2::Addresses::Unix(_) | ppp::v2::Addresses::Unspecified => None,
        }),
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

    /// The client, and whether all of the request is left.
    async fn read(header: &[u8]) -> io::Result<Option<String>> {
        let bytes = [header, REST].concat();
        let mut stream = bytes.as_slice();
        let client = read_client(&mut stream).await?;
        assert_eq!(stream, REST, "something after the header was read, or left");
        Ok(client.map(|client| client.to_string()))
    }

    fn binary(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[0x20 | command, family], &length, body].concat()
    }

    #[tokio::test]
    async fn both_versions_are_read_to_their_end() {
        let line = |text: &str| format!("PROXY {text}\r\n").into_bytes();
        let found = read(&line("TCP4 192.0.2.1 10.0.0.1 4711 443")).await.unwrap();
        assert_eq!(found.as_deref(), Some("192.0.2.1:4711"));
        let found = read(&line("TCP6 2001:db8::1 ::1 4711 443")).await.unwrap();
        assert_eq!(found.as_deref(), Some("[2001:db8::1]:4711"));
        assert_eq!(read(&line("UNKNOWN")).await.unwrap(), None);
        let four = [192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x67, 1, 187];
        let found = read(&binary(1, 0x11, &four)).await.unwrap();
        assert_eq!(found.as_deref(), Some("192.0.2.1:4711"));
        let extended = [&four[..], &[4, 0, 2, 0, 0]].concat();
        assert_eq!(read(&binary(1, 0x11, &extended)).await.unwrap(), found);
        assert_eq!(read(&binary(0, 0, &[])).await.unwrap(), None, "a health check of the proxy");
    }

    #[tokio::test]
    async fn everything_else_is_refused() {
        let long = format!("PROXY TCP4 {}", "1".repeat(200));
        for header in
            [&b""[..], b"GET / HTTP/1.1\r\n\r\n", b"PROXY TCP4 192.0.2.1\r\n", b"PROXY  UNKNOWN", long.as_bytes()]
        {
            let mut stream = header;
            assert!(read_client(&mut stream).await.is_err(), "{}", String::from_utf8_lossy(header));
        }
        let mut too_long = binary(1, 0x11, &[]);
        too_long[14..16].copy_from_slice(&[0xff, 0xff]);
        assert!(read_client(&mut &too_long[..]).await.is_err());
    }
}
