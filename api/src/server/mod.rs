//! Accepts connections and serves them, within limits that no client can stretch.

pub mod client_address;
mod connection;
pub mod cors;
pub mod hints;
mod lingering;
mod permits;
mod phase;
pub mod proxy_header;
mod proxy_protocol;
mod strangers;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use application::ports::Clock;
use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use client_address::TrustedProxies;
use connection::{Peer, serve_connection};
use permits::{ConnectionPermits, FreePermit};

pub use connection::OpenConnection;
pub use strangers::{Stranger, Strangers};

/// The pause after a connection could not be accepted, for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// File descriptors kept for everything that is not a connection: database, files, Redis.
const OTHER_FILES: u64 = 256;

/// The longest time that a client may leave an answer unread, before its connection is cut.
pub const READ_WITHIN: Duration = Duration::from_secs(30);

/// How many connections the server holds, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections open at the same time. Further ones wait in the kernel's queue until one ends.
    pub open: usize,
    /// Connections open at the same time from one address. Further ones are closed at once.
    pub of_one_address: usize,
    /// The longest time that a client may take for the head of a request, from its first byte; of the first request, from the
    /// beginning of the connection. It does not apply to an upgraded connection.
    pub head_within: Duration,
    /// The longest time between a response and the first byte of the next request.
    pub idle_within: Duration,
    /// The longest time that a client may leave an answer unread.
    pub read_within: Duration,
}

impl ConnectionLimits {
    /// The most connections that are ever open.
    const MOST: u64 = 16_384;

    /// As many connections as this process may have files, at most 16,384; a quarter of them (at least 256) for one
    /// address; 30 seconds for a head and for reading an answer.
    #[must_use]
    pub fn of_this_process(settings: ConnectionSettings) -> Self {
        let ConnectionSettings { most, most_of_one_address, idle_within } = settings;
        // The soft limit is often 1,024 for the sake of programs that use select(2).
        let wanted = most.map_or(Self::MOST, u64::from);
        let files = rlimit::increase_nofile_limit(wanted + OTHER_FILES).unwrap_or(1_024);
        let open = files.saturating_sub(OTHER_FILES).max(64).min(wanted);
        let open = usize::try_from(open).unwrap_or(64);
        let share = most_of_one_address.map_or((open / 4).max(256), |most| most as usize);
        Self {
            open,
            of_one_address: share.min(open),
            head_within: Duration::from_secs(30),
            idle_within,
            read_within: READ_WITHIN,
        }
    }
}

/// The limits of connections that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// The most connections that are open at the same time, if the process may have as many files.
    pub most: Option<u32>,
    /// The most connections of one address.
    pub most_of_one_address: Option<u32>,
    /// See [`ConnectionLimits::idle_within`].
    pub idle_within: Duration,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self { most: None, most_of_one_address: None, idle_within: Duration::from_secs(75) }
    }
}

/// A server that is ready to accept connections.
pub(crate) struct Server {
    pub(crate) listener: TcpListener,
    pub(crate) router: Router,
    pub(crate) limits: ConnectionLimits,
    pub(crate) trusted: TrustedProxies,
    /// Whether trusted proxies announce their clients by the PROXY protocol.
    pub(crate) announced: bool,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Server {
    /// Serves until `drained` becomes true; then accepts no new connection, and waits for the current requests and for
    /// upgraded connections. All connections are cut when the future is dropped.
    pub(crate) async fn serve(self, mut drained: watch::Receiver<bool>) {
        let mut permits = ConnectionPermits::new(self.limits, self.trusted.clone());
        let (drain, server) = watch::channel(false);
        let mut connections = JoinSet::new();
        loop {
            let (stream, peer, permit) = tokio::select! {
                // The sender is dropped only with the server itself.
                _ = drained.wait_for(|drain| *drain) => break,
                Some(ended) = connections.join_next() => {
                    ended.unwrap_or_else(|error| tracing::error!(error = &error as &dyn std::error::Error, "connection task panicked"));
                    continue;
                }
                accepted = accept(&self.listener, &mut permits, &*self.clock) => accepted,
            };
            if let Some(permit) = permits.assign(permit, peer) {
                let connection = OpenConnection::new(permit, server.clone());
                let peer =
                    Peer { address: peer, announces: self.announced && self.trusted.trusts(peer.ip().to_canonical()) };
                connections.spawn(serve_connection(stream, peer, connection, self.router.clone(), self.limits));
            }
        }
        drop((self.listener, server));
        drain.send_replace(true);
        // Each open connection holds a receiver, upgraded ones as well, which have no task here any more.
        drain.closed().await;
    }
}

/// The next connection, once there is a permit for it.
async fn accept(
    listener: &TcpListener,
    permits: &mut ConnectionPermits,
    clock: &dyn Clock,
) -> (TcpStream, SocketAddr, FreePermit) {
    let permit = permits.free().await;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(error) if is_about_its_client(&error) => {}
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot accept a connection");
                clock.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether the client was gone before its connection was accepted; the next one can be fine (accept(2), "Error handling").
fn is_about_its_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
