//! Fresh databases for tests: always SQLite, and the server that `TEST_MYSQL_URL` names, if it names one. And the way to
//! the Redis that `TEST_REDIS_URL` names.

use std::io::Write as _;
use std::net::SocketAddr;

use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::database::{Database, DatabaseOptions};

/// A migrated database of a test's own.
pub struct Fresh {
    pub database: Database,
    pub url: String,
    _folder: Option<TempDir>,
}

/// One of each kind that this machine has.
pub async fn fresh_databases() -> Vec<Fresh> {
    let mut all = vec![fresh_sqlite().await];
    if let Ok(server) = std::env::var("TEST_MYSQL_URL") {
        all.push(fresh_mysql(&server).await);
    }
    all
}

pub async fn fresh_sqlite() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("log.db").display());
    let database = connect(&url).await;
    Fresh { database, url, _folder: Some(folder) }
}

async fn fresh_mysql(server: &str) -> Fresh {
    let base = server.rsplit_once('/').unwrap().0;
    let mut random = [0; 8];
    getrandom::fill(&mut random).unwrap();
    let name = format!("t_{}", hex::encode(random));
    let root = Database::connect(server, DatabaseOptions::default()).await.unwrap();
    root.log_session().await.unwrap().run(&format!("CREATE DATABASE {name}")).await.unwrap();
    let url = format!("{base}/{name}");
    Fresh { database: connect(&url).await, url, _folder: None }
}

async fn connect(url: &str) -> Database {
    let database = Database::connect(url, DatabaseOptions::default()).await.unwrap();
    database.migrate().await.unwrap();
    database
}

/// The Redis to test with; says so, past the capturing of output, when there is none.
pub fn redis_url(test: &str) -> Option<String> {
    let url = std::env::var("TEST_REDIS_URL").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        let _ = writeln!(std::io::stderr(), "left out: {test}: TEST_REDIS_URL is not set");
    }
    url
}

/// Stands between a test and Redis, and can be taken away.
pub struct RedisProxy {
    address: SocketAddr,
    serving: JoinSet<()>,
}

impl RedisProxy {
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

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub async fn stop(mut self) {
        self.serving.shutdown().await;
    }
}
