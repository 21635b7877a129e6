use super::{TestDatabase, databases};
use crate::database::{Database, DatabaseOptions};

/// A migrated database that no other test uses; it is deleted when this is dropped.
pub struct Fresh {
    /// Open, with the options of the program.
    pub database: Database,
    /// What goes into `DATABASE_URL`.
    pub url: String,
    // After the connections to it.
    _made: TestDatabase,
}

impl Fresh {
    async fn migrate(made: TestDatabase) -> Self {
        let url = made.url().to_owned();
        let database = Database::connect(&url, DatabaseOptions::default()).await.expect("a new database can be opened");
        database.migrate().await.expect("a new database can be migrated");
        Self { database, url, _made: made }
    }
}

/// One migrated database of each kind that this machine has.
pub async fn fresh_databases() -> Vec<Fresh> {
    let mut all = vec![];
    for made in databases().await {
        all.push(Fresh::migrate(made).await);
    }
    all
}

/// A migrated SQLite database.
pub async fn fresh_sqlite() -> Fresh {
    Fresh::migrate(TestDatabase::sqlite()).await
}
