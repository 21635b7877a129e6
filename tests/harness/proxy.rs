//! A proxy before a MySQL server that spoils appends on purpose.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use application::ports::Clock as _;
use infrastructure::system::SystemClock;
use reqwest::Url;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// By this a statement that appends is known.
const APPEND: &[u8] = b"INSERT INTO events";

/// The command of the MySQL protocol that runs a text.
const QUERY: u8 = 3;

const HEADER: usize = 4;

/// What becomes of one append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens to it.
    None,
    /// It never reaches the server, and the connection is closed.
    CutBefore,
    /// It reaches the server, and the connection is closed at once: how far the server gets is unknown.
    CutAtOnce,
    /// The server carries it out to its end; the connection is closed before any of its answer arrives.
    CutBeforeAnswer,
    /// It reaches the server after this time, even when the client has gone away by then.
    Stall(Duration),
}

/// Stands between clients and a server until it is dropped.
#[derive(Debug)]
pub struct FaultyProxy {
    url: String,
    plan: Arc<Plan>,
    accepting: AbortHandle,
}

/// The faults of the next appends. Later appends pass unchanged.
#[derive(Debug, Default)]
struct Plan(Mutex<VecDeque<Fault>>);

impl Plan {
    fn next(&self) -> Fault {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or(Fault::None)
    }
}

impl FaultyProxy {
    /// Stands before the server of this URL.
    ///
    /// # Panics
    /// When the URL is not one of a server.
    pub async fn before(url: &str) -> Self {
        let mut url = Url::parse(url).expect("the URL of a server");
        let server = format!("{}:{}", url.host_str().expect("a host"), url.port().unwrap_or(3306));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a listener has an address").port();
        url.set_host(Some("127.0.0.1")).expect("a URL with a host takes another");
        url.set_port(Some(port)).expect("a URL with a host takes a port");
        // What is encrypted cannot be spoiled on purpose.
        url.set_query(Some("ssl-mode=disabled"));
        let plan = Arc::new(Plan::default());
        let accepting = tokio::spawn(accept(listener, server, Arc::clone(&plan))).abort_handle();
        Self { url: url.into(), plan, accepting }
    }

    /// The URL for clients.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Decides on the fate of the next appends, one by one.
    pub fn plan(&self, faults: impl IntoIterator<Item = Fault>) {
        self.plan.0.lock().unwrap_or_else(PoisonError::into_inner).extend(faults);
    }

    /// How many of them have not come yet.
    #[must_use]
    pub fn planned(&self) -> usize {
        self.plan.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for FaultyProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: String, plan: Arc<Plan>) {
    while let Ok((client, _)) = listener.accept().await {
        let (server, plan) = (server.clone(), Arc::clone(&plan));
        tokio::spawn(async move {
            // Both ends are closed when one of them is; that is all there is to say about an error.
            drop(connect(client, &server, &plan).await);
        });
    }
}

async fn connect(client: TcpStream, server: &str, plan: &Plan) -> io::Result<()> {
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (withhold, withheld) = watch::channel(false);
    let requests = forward_requests(from_client, to_server, plan, &withhold);
    tokio::select! {
        end = requests => end,
        end = forward_answers(from_server, to_client, withheld) => end,
    }
}

/// Forwards packet by packet. Its end closes the connection.
async fn forward_requests(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    plan: &Plan,
    withhold: &watch::Sender<bool>,
) -> io::Result<()> {
    loop {
        let packet = read_packet(&mut client).await?;
        let fault = if is_append(&packet) { plan.next() } else { Fault::None };
        match fault {
            Fault::None => {}
            Fault::CutBefore => return Ok(()),
            Fault::CutBeforeAnswer => drop(withhold.send_replace(true)),
            Fault::Stall(duration) => SystemClock.sleep(duration).await,
            Fault::CutAtOnce => return server.write_all(&packet).await,
        }
        server.write_all(&packet).await?;
    }
}

/// Forwards what comes, until an answer is to be withheld; then it ends when all of that has come.
async fn forward_answers(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    withheld: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    let mut answer = Vec::new();
    loop {
        let count = server.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        if *withheld.borrow() {
            answer.extend_from_slice(&buffer[..count]);
            if is_complete(&answer) {
                return Ok(());
            }
        } else if client.write_all(&buffer[..count]).await.is_err() {
            // A stalled request must still reach the server.
            return std::future::pending().await;
        }
    }
}

async fn read_packet(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut packet = vec![0; HEADER];
    reader.read_exact(&mut packet).await?;
    packet.resize(HEADER + length(&packet), 0);
    reader.read_exact(&mut packet[HEADER..]).await?;
    Ok(packet)
}

fn length(header: &[u8]) -> usize {
    usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16
}

fn is_append(packet: &[u8]) -> bool {
    packet.get(HEADER) == Some(&QUERY) && packet.windows(APPEND.len()).any(|window| window == APPEND)
}

/// Whether these are the results of all statements of a script without queries, or up to the one that failed.
fn is_complete(mut answer: &[u8]) -> bool {
    while answer.len() > HEADER {
        let end = HEADER + length(answer);
        let Some(payload) = answer.get(HEADER..end) else { return false };
        if is_last(payload) {
            return true;
        }
        answer = &answer[end..];
    }
    false
}

fn is_last(payload: &[u8]) -> bool {
    const MORE_RESULTS: u8 = 0x08;
    if payload.first() != Some(&0) {
        return true;
    }
    // Two numbers of variable length: affected rows and the last id. Then comes the status.
    let first = 1 + number_length(payload[1]);
    let status = first + number_length(payload[first]);
    payload[status] & MORE_RESULTS == 0
}

fn number_length(first: u8) -> usize {
    match first {
        0xfc => 3,
        0xfd => 4,
        0xfe => 9,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(payload: &[u8]) -> Vec<u8> {
        [&[u8::try_from(payload.len()).unwrap(), 0, 0, 0], payload].concat()
    }

    #[test]
    fn appends_are_told_from_other_statements() {
        assert!(is_append(&packet(b"\x03BEGIN; INSERT INTO events (position) VALUES (1)")));
        assert!(!is_append(&packet(b"\x03BEGIN; SELECT position FROM events")));
        assert!(!is_append(&packet(b"\x16INSERT INTO events")), "a prepared statement");
    }

    #[test]
    fn answer_is_complete_with_the_last_result_or_an_error() {
        let (more, last, error) = (packet(&[0, 1, 0, 0x0a, 0]), packet(&[0, 0xfc, 1, 1, 0, 2, 0]), packet(&[0xff, 1]));
        assert!(!is_complete(&more));
        assert!(!is_complete(&[more.as_slice(), &last[..5]].concat()));
        assert!(is_complete(&[more.as_slice(), &last].concat()));
        assert!(is_complete(&[more.as_slice(), &error].concat()));
    }
}
