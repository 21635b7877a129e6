//! A proxy that gives one answer of its own: a defect that the fuzzer must find.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// Stands before a server until it is dropped. Each connection has one request.
pub struct Proxy {
    base: String,
    accepting: AbortHandle,
}

impl Proxy {
    /// The connection of this number, from 0, gets this status and body instead of the server's.
    pub async fn before(base: &str, number: usize, status: u16, body: &'static str) -> Self {
        let server = base.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        let count = Arc::new(AtomicUsize::new(0));
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let is_spoiled = count.fetch_add(1, Ordering::Relaxed) == number;
                let server = server.clone();
                tokio::spawn(async move {
                    if is_spoiled { answer(client, status, body).await } else { pass(client, &server).await }
                });
            }
        });
        Self { base, accepting: accepting.abort_handle() }
    }

    pub fn base(&self) -> &str {
        &self.base
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(mut client: TcpStream, server: &str) {
    if let Ok(mut server) = TcpStream::connect(server).await {
        // Either side may close at any time.
        drop(copy_bidirectional(&mut client, &mut server).await);
    }
}

async fn answer(mut client: TcpStream, status: u16, body: &str) {
    let mut request = vec![0; 64 * 1024];
    drop(client.read(&mut request).await);
    let head = format!(
        "HTTP/1.1 {status} X\r\nx-request-id: r\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    drop(client.write_all((head + body).as_bytes()).await);
}
