//! A connection that costs little, so that what is measured is the program.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A kept-alive connection; one request at a time.
pub struct Connection {
    address: String,
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Connection {
    pub async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { address: address.to_owned(), stream, received: Vec::with_capacity(16 * 1024) })
    }

    /// Whether the answer has this status. A broken connection is opened again.
    pub async fn ask(&mut self, request: &[u8], expected: u16) -> bool {
        match self.send(request).await {
            Ok(answer) => answer.status == expected,
            Err(_) => {
                *self = Self::open(&self.address).await.expect("the program listens");
                false
            }
        }
    }

    pub async fn send(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let head = loop {
            self.read_more().await?;
            if let Some(end) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = std::str::from_utf8(&self.received[..head]).map_err(broken)?;
        let status = text.get(9..12).and_then(|code| code.parse().ok()).ok_or_else(|| broken(text))?;
        let length = content_length(text);
        while self.received.len() < head + length {
            self.read_more().await?;
        }
        Ok(Answer { status, body: self.received[head..head + length].to_vec() })
    }

    async fn read_more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn content_length(head: &str) -> usize {
    let field = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok()).flatten()
    });
    field.unwrap_or(0)
}

fn broken(error: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

/// The bytes of a request.
pub fn request(method: &str, path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let content = match body.len() {
        0 => String::new(),
        length => format!("content-type: application/json\r\ncontent-length: {length}\r\n"),
    };
    format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{authorization}{content}\r\n{body}").into_bytes()
}
