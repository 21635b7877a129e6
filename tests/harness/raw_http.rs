//! Bytes on a socket, for requests that no decent client would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a server may be silent before its answer counts as complete.
const SILENCE: Duration = Duration::from_secs(3);

/// How long a late request waits for what the server says.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawReply {
    /// The status code of the first answer; none when the connection was closed without one.
    pub status: Option<u16>,
    /// Everything that came, with what is not UTF-8 replaced.
    pub text: String,
}

/// Writes the bytes to a server, such as `http://127.0.0.1:3000`, and reads until the answer is complete, the
/// connection is closed, or nothing comes for three seconds.
///
/// # Panics
/// When no connection can be made.
pub async fn raw_http(base: &str, bytes: &[u8]) -> RawReply {
    let address = base.trim_start_matches("http://").trim_end_matches('/');
    let stream =
        TcpStream::connect(address).await.unwrap_or_else(|error| panic!("no connection to {address}: {error}"));
    let (mut reader, mut writer) = stream.into_split();
    let mut received = Vec::new();
    // A server may answer and close before it has read everything: what then fails to be written does not matter.
    let write = async {
        let _ = writer.write_all(bytes).await;
        std::future::pending::<()>().await;
    };
    let read = async {
        let mut buffer = [0; 16 * 1024];
        while let Ok(Ok(count @ 1..)) = timeout(SILENCE, reader.read(&mut buffer)).await {
            received.extend_from_slice(&buffer[..count]);
            if is_complete(&received) {
                break;
            }
        }
    };
    tokio::select! { () = write => {}, () = read => {} }
    let text = String::from_utf8_lossy(&received).into_owned();
    RawReply { status: status_of(&text), text }
}

/// A request whose body lacks its last byte: the server has taken its head and waits.
pub struct LateRequest {
    stream: TcpStream,
    last: u8,
}

impl LateRequest {
    /// Sends everything but the last byte of the body, and waits until the server asks for the body. `Err`: it answered
    /// instead.
    ///
    /// # Errors
    /// The answer to the head alone.
    ///
    /// # Panics
    /// When no connection can be made, or nothing comes.
    pub async fn begin(base: &str, method: &str, path: &str, token: &str, body: &str) -> Result<Self, RawReply> {
        let address = base.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let (all_but_last, last) = body.as_bytes().split_at(body.len() - 1);
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\nExpect: 100-continue\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.expect("the head is taken");
        let reply = read_reply(&mut stream).await;
        if reply.status != Some(100) {
            return Err(reply);
        }
        stream.write_all(all_but_last).await.expect("the body is taken");
        Ok(Self { stream, last: last[0] })
    }

    /// Sends the last byte.
    ///
    /// # Panics
    /// When nothing comes back.
    pub async fn finish(mut self) -> RawReply {
        self.stream.write_all(&[self.last]).await.expect("the last byte is taken");
        read_reply(&mut self.stream).await
    }
}

async fn read_reply(stream: &mut TcpStream) -> RawReply {
    let mut received = Vec::new();
    let mut buffer = [0; 16 * 1024];
    let is_over = |received: &[u8]| is_complete(received) || received.ends_with(b" 100 Continue\r\n\r\n");
    while !is_over(&received) {
        let read = timeout(ANSWERED_WITHIN, stream.read(&mut buffer)).await.expect("an answer in time");
        let Ok(count @ 1..) = read else { break };
        received.extend_from_slice(&buffer[..count]);
    }
    let text = String::from_utf8_lossy(&received).into_owned();
    RawReply { status: status_of(&text), text }
}

fn status_of(text: &str) -> Option<u16> {
    text.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

/// Whether there is an answer with all of the body that it announced.
fn is_complete(received: &[u8]) -> bool {
    let text = String::from_utf8_lossy(received);
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    length.is_some_and(|length| received.len() >= head.len() + 4 + length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// Reads a little, answers and closes or stays.
    async fn server(answer: &'static str, stays: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 64]).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            if stays {
                std::future::pending::<()>().await;
            }
        });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn complete_answer_ends_the_reading_of_an_open_connection() {
        let base = server("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno", true).await;
        let start = std::time::Instant::now();
        let reply = raw_http(&base, b"NONSENSE\r\n\r\n").await;
        assert_eq!(reply.status, Some(400));
        assert!(reply.text.ends_with("\r\n\r\nno"));
        assert!(start.elapsed() < SILENCE);
    }

    #[tokio::test]
    async fn closed_connection_without_an_answer_has_no_status() {
        let base = server("", false).await;
        assert_eq!(raw_http(&base, &vec![b'x'; 1_000_000]).await, RawReply { status: None, text: String::new() });
    }
}
