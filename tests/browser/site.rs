//! Somebody's site that embeds the widget, under a strict policy of its own.

use std::io;

use harness::tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use harness::tokio::net::{TcpListener, TcpStream};
use harness::tokio::task::JoinHandle;

/// A site of one page.
pub struct Site(JoinHandle<()>);

impl Site {
    /// Serves at a port of this machine, with the widget of a chat server.
    pub async fn start(port: u16, chat: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let answer = answer(chat);
        Self(harness::tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                harness::tokio::spawn(serve(stream, answer.clone()));
            }
        }))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn answer(chat: &str) -> String {
    let body = format!(
        "<!doctype html><html lang=\"en\"><title>A site</title><link rel=\"icon\" href=\"data:,\"><h1>A site</h1>\
         <script async src=\"{chat}/widget.js\"></script></html>"
    );
    let policy = format!("default-src 'none'; script-src {chat}; frame-src {chat}; style-src 'self'; img-src data:");
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\
         Content-Security-Policy: {policy}\r\n\r\n{body}"
    )
}

async fn serve(mut stream: TcpStream, answer: String) -> io::Result<()> {
    // The page is short and the request too: what comes in one read is all of it.
    let _read = stream.read(&mut [0; 4096]).await?;
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
