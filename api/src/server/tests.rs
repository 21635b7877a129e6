use std::net::Ipv4Addr;
use std::pin::pin;
use std::time::Instant;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Path, Request};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use futures::FutureExt as _;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use infrastructure::system::SystemClock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

const SHORT: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(10);

const HEALTH: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n";

const UPGRADE: &[u8] = b"GET /upgrade HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: parrot\r\n\r\n";

struct Served {
    address: SocketAddr,
    drain: watch::Sender<bool>,
    task: JoinHandle<()>,
}

async fn serve_with(limits: ConnectionLimits) -> Served {
    serve_behind("", limits).await
}

async fn serve_behind(proxies: &str, limits: ConnectionLimits) -> Served {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }))
        .route("/large", get(|| async { vec![b'x'; 64 << 20] }))
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/refuse", post(|| async { StatusCode::FORBIDDEN }))
        .route("/refuse/{status}", post(|Path(status): Path<u16>| async move { StatusCode::from_u16(status).unwrap() }))
        .route("/upgrade", get(upgrade));
    let (drain, drained) = watch::channel(false);
    let trusted = proxies.parse().unwrap();
    let server = Server { listener, router, limits, trusted, announced: false, clock: Arc::new(SystemClock) };
    Served { address, drain, task: tokio::spawn(server.serve(drained)) }
}

async fn upgrade(Extension(connection): Extension<OpenConnection>, request: Request) -> Response {
    let upgraded = hyper::upgrade::on(request);
    tokio::spawn(connection.clone().run(async move {
        parrot(TokioIo::new(upgraded.await.unwrap()), connection).await;
    }));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(header::CONNECTION, "upgrade".parse().unwrap());
    response.headers_mut().insert(header::UPGRADE, "parrot".parse().unwrap());
    response
}

/// Repeats what the client sends until the client closes, and says once that the server drains.
async fn parrot(mut stream: TokioIo<Upgraded>, connection: OpenConnection) {
    let mut buffer = [0; 64];
    let mut draining = pin!(connection.draining().fuse());
    loop {
        tokio::select! {
            () = &mut draining => stream.write_all(b"draining").await.unwrap(),
            count = stream.read(&mut buffer) => match count {
                Ok(0) | Err(_) => return,
                Ok(count) => stream.write_all(&buffer[..count]).await.unwrap(),
            },
        }
    }
}

fn limits() -> ConnectionLimits {
    ConnectionLimits {
        open: 100,
        of_one_address: 100,
        head_within: PATIENCE,
        idle_within: PATIENCE,
        read_within: PATIENCE,
    }
}

async fn connect(served: &Served) -> TcpStream {
    TcpStream::connect(served.address).await.unwrap()
}

/// What arrives until the server closes or stays silent, and whether it has closed.
async fn read(stream: &mut TcpStream, silence: Duration) -> (String, bool) {
    let mut received = vec![];
    let mut buffer = vec![0; 4096];
    loop {
        match timeout(silence, stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => return (String::from_utf8_lossy(&received).into_owned(), true),
            Ok(Ok(count)) => received.extend_from_slice(&buffer[..count]),
            Err(_) => return (String::from_utf8_lossy(&received).into_owned(), false),
        }
    }
}

#[tokio::test]
async fn handlers_see_the_address_of_the_client() {
    let served = serve_with(limits()).await;
    let mut stream = connect(&served).await;
    stream.write_all(HEALTH).await.unwrap();
    let (answer, closed) = read(&mut stream, SHORT).await;
    assert!(answer.ends_with(&stream.local_addr().unwrap().to_string()), "{answer}");
    assert!(!closed, "the connection is kept for the next request");
}

#[tokio::test]
async fn head_that_does_not_end_closes_the_connection() {
    let served = serve_with(ConnectionLimits { head_within: SHORT, ..limits() }).await;
    let mut stream = connect(&served).await;
    let start = Instant::now();
    // A byte now and then does not extend the time.
    let trickle = async {
        for byte in HEALTH {
            if stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep_until((Instant::now() + SHORT / 3).into()).await;
        }
        read(&mut stream, PATIENCE).await
    };
    let (answer, closed) = trickle.await;
    assert!(closed && !answer.contains("200 OK"), "{answer}");
    assert!(start.elapsed() < PATIENCE);
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let served = serve_with(ConnectionLimits { head_within: SHORT, idle_within: SHORT, ..limits() }).await;
    let mut silent = connect(&served).await;
    assert_eq!(read(&mut silent, PATIENCE).await, (String::new(), true));
    let mut used = connect(&served).await;
    used.write_all(HEALTH).await.unwrap();
    let (answer, closed) = read(&mut used, PATIENCE).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && closed, "{answer}");
}

#[tokio::test]
async fn idle_connection_outlives_the_time_for_a_head_which_counts_from_its_first_byte() {
    let served = serve_with(ConnectionLimits { head_within: SHORT, ..limits() }).await;
    let mut stream = connect(&served).await;
    for _ in 0..2 {
        stream.write_all(HEALTH).await.unwrap();
        let (answer, closed) = read(&mut stream, SHORT * 3).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && !closed, "{answer}");
    }
    let start = Instant::now();
    stream.write_all(&HEALTH[..5]).await.unwrap();
    assert_eq!(read(&mut stream, PATIENCE).await, (String::new(), true));
    assert!((SHORT..PATIENCE).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn body_that_comes_late_is_not_cut_by_the_times_for_heads_and_idle_connections() {
    let served = serve_with(ConnectionLimits { head_within: SHORT, idle_within: SHORT, ..limits() }).await;
    let mut stream = connect(&served).await;
    stream.write_all(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nab").await.unwrap();
    assert_eq!(read(&mut stream, SHORT * 3).await, (String::new(), false));
    stream.write_all(b"cd").await.unwrap();
    assert!(read(&mut stream, SHORT / 2).await.0.ends_with("abcd"));
}

/// Sends a request that is refused before its body ends, with that body in pieces, and then reads the answer. The error of
/// a client that could not send everything is in the place of the answer.
async fn send_and_then_read(stream: &mut TcpStream, request: &str, bytes: usize) -> (String, bool) {
    stream.write_all(request.as_bytes()).await.unwrap();
    let piece = vec![b'x'; 64 << 10];
    for _ in 0..bytes.div_ceil(piece.len()) {
        if let Err(error) = stream.write_all(&piece).await {
            return (error.to_string(), true);
        }
    }
    read(stream, PATIENCE).await
}

#[tokio::test]
async fn answer_before_the_end_of_a_body_is_not_lost() {
    let served = serve_with(limits()).await;
    for (path, status) in [("/refuse", "403"), ("/", "405"), ("/nowhere", "404")] {
        for bytes in [150 << 10, 1 << 20, 5 << 20] {
            let mut stream = connect(&served).await;
            let request = format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {bytes}\r\n\r\n");
            let (answer, closed) = send_and_then_read(&mut stream, &request, bytes).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && closed, "{path}, {bytes}: {answer}");
        }
    }
}

#[tokio::test]
async fn answer_to_a_head_that_is_too_large_is_not_lost() {
    let served = serve_with(limits()).await;
    let mut stream = connect(&served).await;
    let request = "GET / HTTP/1.1\r\nHost: test\r\nX-Long: ";
    let (answer, closed) = send_and_then_read(&mut stream, request, 1 << 20).await;
    assert!(answer.starts_with("HTTP/1.1 431") && closed, "{answer}");
}

#[tokio::test]
async fn client_that_never_stops_sending_is_closed() {
    let served = serve_with(limits()).await;
    let mut stream = connect(&served).await;
    let request = "POST /refuse HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n";
    let sending = send_and_then_read(&mut stream, request, 1 << 30);
    let (error, closed) = timeout(PATIENCE, sending).await.unwrap();
    assert!(closed && !error.starts_with("HTTP"), "{error}");
}

const EARLY_REFUSALS: [u16; 8] = [401, 403, 404, 405, 413, 415, 429, 503];

fn refused(status: u16, framing: &str) -> String {
    format!("POST /refuse/{status} HTTP/1.1\r\nHost: test\r\n{framing}\r\n\r\n")
}

/// A request that stands in the body of another one must never be answered.
#[tokio::test]
async fn refusal_of_an_unread_body_closes_the_connection() {
    const SMUGGLED: &str = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 8\r\n\r\nsmuggled";
    let served = serve_with(limits()).await;
    for status in EARLY_REFUSALS {
        for chunk in [format!("{:x}\r\n{SMUGGLED}", 300_000), "12c00\r\n".to_owned() + &SMUGGLED.repeat(2_000)] {
            let mut stream = connect(&served).await;
            let request = refused(status, "Transfer-Encoding: chunked") + &chunk;
            // The server may have closed before everything is written.
            let _ = stream.write_all(request.as_bytes()).await;
            let (answer, _) = read(&mut stream, SHORT).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            assert!(answer.to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        }
    }
}

#[tokio::test]
async fn refusal_of_a_small_body_keeps_the_connection() {
    let served = serve_with(limits()).await;
    for status in EARLY_REFUSALS {
        for (framing, body) in [("Content-Length: 3", "abc"), ("Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n")] {
            let mut stream = connect(&served).await;
            let both = refused(status, framing) + body + std::str::from_utf8(HEALTH).unwrap();
            stream.write_all(both.as_bytes()).await.unwrap();
            let (answer, closed) = read(&mut stream, SHORT).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            assert!(!closed && answer.contains("HTTP/1.1 200 "), "{answer}");
            assert!(!answer.contains("connection: close"), "{answer}");
        }
    }
}

#[tokio::test]
async fn expected_continue_is_answered_by_the_refusal_alone() {
    let served = serve_with(limits()).await;
    let mut stream = connect(&served).await;
    let request = "POST /refuse HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
    let (answer, closed) = send_and_then_read(&mut stream, request, 0).await;
    assert!(answer.starts_with("HTTP/1.1 403") && closed, "{answer}");
}

#[tokio::test]
async fn unread_answer_frees_its_permit() {
    let served = serve_with(ConnectionLimits { open: 1, read_within: SHORT, ..limits() }).await;
    let mut lazy = connect(&served).await;
    lazy.write_all(b"GET /large HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    let mut next = connect(&served).await;
    next.write_all(HEALTH).await.unwrap();
    let (answer, _) = read(&mut next, SHORT * 20).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    drop(lazy);
}

#[tokio::test]
async fn connection_over_the_limit_waits_for_a_permit() {
    let served = serve_with(ConnectionLimits { open: 2, ..limits() }).await;
    let (first, mut second, mut third) = (connect(&served).await, connect(&served).await, connect(&served).await);
    second.write_all(HEALTH).await.unwrap();
    third.write_all(HEALTH).await.unwrap();
    assert!(read(&mut second, SHORT).await.0.starts_with("HTTP/1.1 200 OK"));
    assert_eq!(read(&mut third, SHORT).await, (String::new(), false));
    drop(first);
    assert!(read(&mut third, SHORT * 5).await.0.starts_with("HTTP/1.1 200 OK"));
}

async fn connect_from(address: [u8; 4], served: &Served) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::from(address), 0).into()).unwrap();
    socket.connect(served.address).await.unwrap()
}

async fn is_served(stream: &mut TcpStream) -> bool {
    // The server may have closed it already.
    drop(stream.write_all(HEALTH).await);
    read(stream, SHORT).await.0.starts_with("HTTP/1.1 200 OK")
}

#[tokio::test]
async fn one_address_does_not_get_all_permits() {
    let served = serve_with(ConnectionLimits { of_one_address: 2, ..limits() }).await;
    let mut greedy = vec![];
    for _ in 0..3 {
        greedy.push(connect_from([127, 0, 0, 1], &served).await);
    }
    assert_eq!(read(&mut greedy[2], PATIENCE).await, (String::new(), true));
    assert!(is_served(&mut greedy[0]).await && is_served(&mut greedy[1]).await);
    assert!(is_served(&mut connect_from([127, 0, 0, 2], &served).await).await);
    drop(greedy);
    SystemClock.sleep(SHORT).await;
    assert!(is_served(&mut connect_from([127, 0, 0, 1], &served).await).await);
}

#[tokio::test]
async fn trusted_proxy_may_hold_all_permits() {
    let served = serve_behind("127.0.0.3", ConnectionLimits { of_one_address: 1, ..limits() }).await;
    let mut streams = vec![];
    for _ in 0..5 {
        streams.push(connect_from([127, 0, 0, 3], &served).await);
    }
    for stream in &mut streams {
        assert!(is_served(stream).await);
    }
}

#[tokio::test]
async fn connections_end_with_the_server() {
    let served = serve_with(limits()).await;
    let mut busy = connect(&served).await;
    busy.write_all(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nab").await.unwrap();
    assert_eq!(read(&mut busy, SHORT).await, (String::new(), false));
    served.task.abort();
    assert_eq!(read(&mut busy, SHORT * 5).await, (String::new(), true));
}

#[tokio::test]
async fn drain_finishes_current_requests_and_accepts_nothing_new() {
    let served = serve_with(limits()).await;
    let (mut idle, mut busy) = (connect(&served).await, connect(&served).await);
    idle.write_all(HEALTH).await.unwrap();
    assert!(read(&mut idle, SHORT).await.0.starts_with("HTTP/1.1 200 OK"));
    busy.write_all(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nab").await.unwrap();
    assert_eq!(read(&mut busy, SHORT).await, (String::new(), false));
    served.drain.send(true).unwrap();
    assert_eq!(read(&mut idle, PATIENCE).await, (String::new(), true));
    assert!(TcpStream::connect(served.address).await.is_err());
    assert!(!served.task.is_finished());
    busy.write_all(b"cd").await.unwrap();
    let (answer, closed) = read(&mut busy, PATIENCE).await;
    assert!(answer.ends_with("abcd") && closed, "{answer}");
    timeout(PATIENCE, served.task).await.unwrap().unwrap();
}

async fn connect_upgraded(served: &Served) -> TcpStream {
    let mut stream = connect(served).await;
    stream.write_all(UPGRADE).await.unwrap();
    let (answer, closed) = read(&mut stream, SHORT).await;
    assert!(answer.starts_with("HTTP/1.1 101 ") && !closed, "{answer}");
    stream
}

async fn repeats(stream: &mut TcpStream) -> bool {
    stream.write_all(b"hello").await.unwrap();
    read(stream, SHORT).await == ("hello".to_owned(), false)
}

#[tokio::test]
async fn upgraded_connection_counts_towards_the_limit_until_it_ends() {
    let served = serve_with(ConnectionLimits { open: 1, ..limits() }).await;
    let mut upgraded = connect_upgraded(&served).await;
    let mut next = connect(&served).await;
    next.write_all(HEALTH).await.unwrap();
    assert_eq!(read(&mut next, SHORT).await, (String::new(), false));
    assert!(repeats(&mut upgraded).await);
    drop(upgraded);
    assert!(read(&mut next, SHORT * 5).await.0.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn upgraded_connection_counts_towards_the_limit_of_its_address() {
    let served = serve_with(ConnectionLimits { of_one_address: 1, ..limits() }).await;
    let upgraded = connect_upgraded(&served).await;
    assert!(!is_served(&mut connect(&served).await).await);
    drop(upgraded);
    SystemClock.sleep(SHORT).await;
    assert!(is_served(&mut connect(&served).await).await);
}

#[tokio::test]
async fn upgraded_connection_outlives_the_time_for_a_head() {
    let served = serve_with(ConnectionLimits { head_within: SHORT, ..limits() }).await;
    let mut upgraded = connect_upgraded(&served).await;
    assert_eq!(read(&mut upgraded, SHORT * 3).await, (String::new(), false));
    assert!(repeats(&mut upgraded).await);
}

#[tokio::test]
async fn drain_notifies_an_upgraded_connection_and_waits_for_its_end() {
    let served = serve_with(limits()).await;
    let mut upgraded = connect_upgraded(&served).await;
    served.drain.send(true).unwrap();
    assert_eq!(read(&mut upgraded, SHORT).await, ("draining".to_owned(), false));
    assert!(!served.task.is_finished());
    assert!(repeats(&mut upgraded).await);
    assert!(!served.task.is_finished());
    drop(upgraded);
    timeout(PATIENCE, served.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn upgraded_connections_end_with_the_server() {
    let served = serve_with(limits()).await;
    let mut upgraded = connect_upgraded(&served).await;
    served.task.abort();
    assert_eq!(read(&mut upgraded, PATIENCE).await, (String::new(), true));
}
