//! One connection: HTTP/1.1, and whatever protocol a handler upgrades it to.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::ConnectionLimits;
use super::lingering::Lingering;
use super::permits::ConnectionPermit;
use super::phase::ConnectionPhase;
use super::proxy_protocol::read_client;

/// The most bytes that a request's line and header fields may take together: several of the longest tokens and addresses,
/// and no more, because one address may have thousands of connections.
const MAX_HEAD: usize = 32 * 1024;

/// An open connection, in the extensions of each of its requests. HTTP is over for the server once a handler has upgraded
/// the connection. The upgraded protocol therefore keeps a clone: until the last clone is dropped, the connection counts
/// towards the limits, and a drain waits for it.
#[derive(Clone)]
pub struct OpenConnection(Arc<Held>);

struct Held {
    _permit: ConnectionPermit,
    server: ServerState,
}

/// The server's state as its connections see it: whether it drains. The sender is dropped when the server has ended.
pub(super) type ServerState = watch::Receiver<bool>;

impl OpenConnection {
    pub(super) fn new(permit: ConnectionPermit, server: ServerState) -> Self {
        Self(Arc::new(Held { _permit: permit, server }))
    }

    /// Completes when the server drains. The protocol should then say goodbye to its client: the server waits only as long
    /// as it does for requests.
    pub async fn draining(&self) {
        let mut server = self.0.server.clone();
        // An error means that the server has ended without a drain.
        drop(server.wait_for(|drains| *drains).await);
    }

    /// Runs an upgraded protocol until it ends, or until the server cuts its connections: then the result is `None`.
    pub async fn run<P: Future>(self, protocol: P) -> Option<P::Output> {
        let mut server = self.0.server.clone();
        let cut = async { while server.changed().await.is_ok() {} };
        tokio::select! {
            biased;
            () = cut => None,
            output = protocol => Some(output),
        }
    }
}

/// The other end of a connection.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// Whether it announces its client before the first request.
    pub(super) announces: bool,
}

impl Peer {
    async fn find_client(self, stream: &mut TcpStream, limits: ConnectionLimits) -> io::Result<SocketAddr> {
        if !self.announces {
            return Ok(self.address);
        }
        let read = tokio::time::timeout(limits.head_within, read_client(stream)).await;
        Ok(read.map_err(|_| io::ErrorKind::TimedOut)??.unwrap_or(self.address))
    }
}

/// Serves the requests of a connection until it closes, is upgraded, or fails; after the current request if the server
/// drains.
pub(super) async fn serve_connection(
    mut stream: TcpStream,
    peer: Peer,
    connection: OpenConnection,
    router: Router,
    limits: ConnectionLimits,
) {
    // Answers are small and written at once: waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = &error as &dyn std::error::Error, "connection closed by its client at once");
        return;
    }
    let peer = match peer.find_client(&mut stream, limits).await {
        Ok(client) => client,
        Err(error) => {
            let (proxy, error) = (peer.address, &error as &dyn std::error::Error);
            tracing::warn!(%proxy, error, "connection closed: a trusted proxy did not announce its client (PROXY_HEADER)");
            return;
        }
    };
    let phase = ConnectionPhase::new();
    let stream = Lingering::new(stream, limits.read_within, phase.clone());
    let service = {
        let (connection, phase) = (connection.clone(), phase.clone());
        service_fn(move |request| answer(router.clone(), peer, (connection.clone(), phase.clone()), request))
    };
    // Not hyper-util's automatic builder: it reads the first bytes, which distinguish HTTP/1 from HTTP/2, without a timeout. And
    // not hyper's timeout: it has one timer for slow heads and for idle connections.
    let http = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let (mut http, mut expired) = (pin!(http), pin!(phase.expired(&limits)));
    let mut drains = false;
    let outcome = loop {
        tokio::select! {
            biased;
            outcome = &mut http => break outcome,
            () = &mut expired => return,
            () = connection.draining(), if !drains => {
                drains = true;
                http.as_mut().graceful_shutdown();
            }
        }
    };
    if let Err(error) = outcome {
        if error.is_parse() {
            hint_at_announcements();
        }
        // Clients hang up and send nonsense all day.
        tracing::debug!(error = &error as &dyn std::error::Error, "connection failed");
    }
}

async fn answer(
    router: Router,
    peer: SocketAddr,
    (connection, phase): (OpenConnection, ConnectionPhase),
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request = request.map(|body| phase.begin_request(body));
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(connection);
    let asks_first = request.headers().contains_key(header::EXPECT);
    let Ok(mut response) = router.oneshot(request).await;
    // What follows an upgrade is not HTTP.
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response);
    }
    if !phase.may_go_on(asks_first).await {
        // The client must not send its next request here: the rest of this one stands before it.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| phase.answer_with(body)))
}

/// Reports once that something other than HTTP came: a proxy that announces its clients is refused by the parser alone.
fn hint_at_announcements() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        tracing::info!(
            "a connection did not begin with HTTP; if it is that of a proxy that sends PROXY headers, set \
             PROXY_HEADER=proxy-protocol and TRUSTED_PROXIES"
        );
    });
}
