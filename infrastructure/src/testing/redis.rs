use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::left_out;

/// The setting that names the Redis for tests.
const SERVER: &str = "TEST_REDIS_URL";

/// The Redis for tests. Without one the test is reported as left out.
pub fn redis_url(test: &str) -> Option<String> {
    let url = std::env::var(SERVER).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        left_out(test, SERVER);
    }
    url
}

/// Stands between a test and Redis, and can be stopped and started again.
pub struct RedisProxy {
    address: SocketAddr,
    serving: JoinSet<()>,
}

impl RedisProxy {
    /// Listens on this address and passes all that it gets on to the Redis of the URL.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start(address: SocketAddr, url: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let redis = redis::Client::open(url).unwrap().get_connection_info().addr().to_string();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut pipes = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let redis = redis.clone();
                pipes.spawn(async move {
                    let mut far = TcpStream::connect(redis).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self { address, serving }
    }

    /// Where it listens; another proxy may take the address after this one.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What goes into `REDIS_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Closes all connections, and refuses new ones.
    pub async fn stop(mut self) {
        self.serving.shutdown().await;
    }
}
