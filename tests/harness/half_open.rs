//! A proxy that can fall silent without closing anything, as a network does that has forgotten a connection.

use std::io;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Stands between clients and a server until it is dropped.
#[derive(Debug)]
pub struct HalfOpenProxy {
    base: String,
    /// Counts the silences.
    silences: watch::Sender<u64>,
    accepting: AbortHandle,
}

impl HalfOpenProxy {
    /// Stands before the server at this base.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn before(base: &str) -> Self {
        let server = base.strip_prefix("http://").expect("servers of tests speak HTTP").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        let silences = watch::Sender::new(0);
        let accepting = tokio::spawn(accept(listener, server, silences.clone())).abort_handle();
        Self { base, silences, accepting }
    }

    /// The base for clients.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Passes nothing more on in any connection that is open now, and closes none.
    pub fn fall_silent(&self) {
        self.silences.send_modify(|silences| *silences += 1);
    }
}

impl Drop for HalfOpenProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: String, silences: watch::Sender<u64>) {
    while let Ok((client, _)) = listener.accept().await {
        let (server, silence) = (server.clone(), silences.subscribe());
        tokio::spawn(async move { drop(pass_on(client, &server, silence).await) });
    }
}

async fn pass_on(mut client: TcpStream, server: &str, mut silence: watch::Receiver<u64>) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    tokio::select! {
        end = copy_bidirectional(&mut client, &mut server) => end.map(|_| ()),
        changed = silence.changed() => {
            // Both ends stay open until the test ends.
            if changed.is_ok() { std::future::pending().await } else { Ok(()) }
        }
    }
}
