//! Takes connections in and serves them, within bounds that no client can stretch.

pub mod client_address;
pub mod cors;
mod places;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use application::ports::Clock;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutWriter;
use tower::ServiceExt as _;

use client_address::TrustedProxies;
use places::{FreePlace, Place, Places};

/// What a request's line and header fields may take together, in bytes.
const MAX_HEAD: usize = 128 * 1024;

/// The pause after a connection could not be accepted, for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// File descriptors kept for everything that is not a connection: database, files, Redis.
const OTHER_FILES: u64 = 256;

/// What connections may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections open at the same time. Further ones wait in the kernel's queue until one ends.
    pub open: usize,
    /// How many of them one address may have. Further ones are closed at once.
    pub of_one_address: usize,
    /// How long a client may take for the head of its next request, and so how long an idle connection is kept.
    pub head_within: Duration,
    /// How long a client may let an answer lie unread.
    pub read_within: Duration,
}

impl ConnectionLimits {
    /// The most connections that are ever open.
    const MOST: u64 = 16_384;

    /// As many as this process may have files, at most 16,384, and a quarter of them (at least 256) for one address; 30
    /// seconds for a head and for taking an answer.
    #[must_use]
    pub fn of_this_process() -> Self {
        // The soft limit is often 1,024 for the sake of programs that use select(2).
        let files = rlimit::increase_nofile_limit(Self::MOST + OTHER_FILES).unwrap_or(1_024);
        let open = files.saturating_sub(OTHER_FILES).clamp(64, Self::MOST);
        let open = usize::try_from(open).unwrap_or(64);
        Self {
            open,
            of_one_address: (open / 4).max(256).min(open),
            head_within: Duration::from_secs(30),
            read_within: Duration::from_secs(30),
        }
    }
}

/// Serves until `drained` says so; then takes no new connection and waits for the requests that are under way. All
/// connections are cut when the future is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    trusted: TrustedProxies,
    clock: Arc<dyn Clock>,
    mut drained: watch::Receiver<bool>,
) {
    let mut places = Places::new(limits, trusted);
    let open = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer, place) = tokio::select! {
            // The sender is dropped only with the server itself.
            _ = drained.wait_for(|drain| *drain) => break,
            Some(ended) = connections.join_next() => {
                ended.unwrap_or_else(|error| tracing::error!(error = &error as &dyn std::error::Error, "connection"));
                continue;
            }
            accepted = accept(&listener, &mut places, &*clock) => accepted,
        };
        if let Some(place) = places.give(place, peer) {
            let connection = serve_connection(stream, peer, place, router.clone(), limits, open.watcher());
            connections.spawn(connection);
        }
    }
    drop(listener);
    open.shutdown().await;
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &mut Places, clock: &dyn Clock) -> (TcpStream, SocketAddr, FreePlace) {
    let place = places.free().await;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) if is_about_its_client(&error) => {}
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot accept a connection");
                clock.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether a client was gone before it was accepted; the next one can be fine (accept(2), "Error handling").
fn is_about_its_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    _place: Place,
    router: Router,
    limits: ConnectionLimits,
    watcher: Watcher,
) {
    // Answers are small and written at once: waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = &error as &dyn std::error::Error, "connection has ended at once");
        return;
    }
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(limits.read_within));
    let answer = service_fn(move |request: Request<Incoming>| answer(router.clone(), peer, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_within)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(Box::pin(stream)), answer);
    if let Err(error) = watcher.watch(connection).await {
        // Clients hang up and send nonsense all day.
        tracing::debug!(error = &error as &dyn std::error::Error, "connection has failed");
    }
}

async fn answer(router: Router, peer: SocketAddr, request: Request<Incoming>) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    router.oneshot(request).await
}

#[cfg(test)]
mod tests;
