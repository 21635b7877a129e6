//! Fresh databases for tests: always SQLite, and the server that `TEST_MYSQL_URL` names, if it names one.

use tempfile::TempDir;

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
