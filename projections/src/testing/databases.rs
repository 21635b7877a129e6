use infrastructure::database::{Database, DatabaseOptions};
use tempfile::TempDir;

/// A migrated database of a test's own.
pub(crate) struct Fresh {
    pub(crate) database: Database,
    _folder: Option<TempDir>,
}

/// Always SQLite, and a new database on the server that `TEST_MYSQL_URL` names, if it names one.
pub(crate) async fn fresh_databases() -> Vec<Fresh> {
    let mut all = vec![fresh_sqlite().await];
    if let Ok(server) = std::env::var("TEST_MYSQL_URL") {
        all.push(fresh_mysql(&server).await);
    }
    all
}

async fn fresh_sqlite() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("views.db").display());
    Fresh { database: connect(&url).await, _folder: Some(folder) }
}

async fn fresh_mysql(server: &str) -> Fresh {
    let base = server.rsplit_once('/').unwrap().0;
    let mut random = [0; 8];
    getrandom::fill(&mut random).unwrap();
    let name = format!("t_{}", hex::encode(random));
    let root = Database::connect(server, DatabaseOptions::default()).await.unwrap();
    root.log_session().await.unwrap().run(&format!("CREATE DATABASE {name}")).await.unwrap();
    Fresh { database: connect(&format!("{base}/{name}")).await, _folder: None }
}

async fn connect(url: &str) -> Database {
    let database = Database::connect(url, DatabaseOptions::default()).await.unwrap();
    database.migrate().await.unwrap();
    database
}
