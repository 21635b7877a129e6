use std::fmt;
use std::path::Path;

use application::ports::Ids as _;
use sqlx::{Connection as _, MySqlConnection};
use tempfile::TempDir;

use super::left_out;
use crate::system::RandomIds;

/// The setting that names the MySQL server for tests, such as `mysql://root:secret@127.0.0.1:3306`.
const SERVER: &str = "TEST_MYSQL_URL";

/// The kinds of database that the program runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// An embedded file.
    Sqlite,
    /// MySQL or MariaDB.
    MySql,
}

impl fmt::Display for DatabaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::MySql => "mysql",
        })
    }
}

/// An empty database that no other test uses; it is deleted when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    kind: DatabaseKind,
    url: String,
    folder: TempDir,
    server: Option<Server>,
}

impl TestDatabase {
    /// A file in a temporary folder.
    ///
    /// # Panics
    /// When the folder cannot be made.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::sqlite_in(&std::env::temp_dir())
    }

    /// A file in a new folder inside this one.
    ///
    /// # Panics
    /// When the folder cannot be made.
    #[must_use]
    pub fn sqlite_in(parent: &Path) -> Self {
        let folder = temporary_folder(parent);
        let url = format!("sqlite:{}", folder.path().join("livechatlog.db").display());
        Self { kind: DatabaseKind::Sqlite, url, folder, server: None }
    }

    /// A database on the server that `TEST_MYSQL_URL` names. Without one the test is reported as left out.
    ///
    /// # Panics
    /// When the server that is named does not work.
    pub async fn mysql(test: &str) -> Option<Self> {
        let Some(address) = std::env::var(SERVER).ok().filter(|url| !url.is_empty()) else {
            left_out(test, SERVER);
            return None;
        };
        Some(Self::on_server(&address).await)
    }

    /// A database on this server. It must be dropped before the server stops.
    ///
    /// # Panics
    /// When the server does not work.
    pub async fn on_server(address: &str) -> Self {
        let database = format!("lcl_test_{}", RandomIds.new_uuid().simple());
        let server = Server { address: with_database(address, ""), database };
        server.create().await;
        let url = with_database(address, &server.database);
        let folder = temporary_folder(&std::env::temp_dir());
        Self { kind: DatabaseKind::MySql, url, folder, server: Some(server) }
    }

    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// What goes into `DATABASE_URL`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A folder of the test's own, for `DATA_DIR`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.drop_database();
        }
    }
}

/// One empty database of each kind that this machine has: always SQLite; MySQL if there is a server.
pub async fn databases() -> Vec<TestDatabase> {
    let mut all = vec![TestDatabase::sqlite()];
    all.extend(TestDatabase::mysql("what needs MySQL").await);
    all
}

#[derive(Debug)]
struct Server {
    address: String,
    database: String,
}

impl Server {
    async fn create(&self) {
        // No character set: the program must cope with the server's default, whichever it is.
        if let Err(error) = self.run(&format!("CREATE DATABASE {}", self.database)).await {
            panic!("no database can be created on the server ({SERVER}, or one of the test's own): {error}");
        }
    }

    async fn run(&self, sql: &str) -> Result<(), sqlx::Error> {
        let mut connection = MySqlConnection::connect(&self.address).await?;
        // A connection of the test may still be open, and a transaction with it.
        sqlx::raw_sql("SET SESSION lock_wait_timeout = 5").execute(&mut connection).await?;
        sqlx::raw_sql(sql).execute(&mut connection).await?;
        connection.close().await
    }

    /// On a thread of its own, since the test's runtime may be about to end.
    fn drop_database(self) {
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let sql = format!("DROP DATABASE IF EXISTS {}", self.database);
            runtime.block_on(self.run(&sql)).map_err(std::io::Error::other)
        };
        match std::thread::spawn(work).join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("a test database was left behind: {error}"),
            Err(_) => eprintln!("a test database was left behind"),
        }
    }
}

/// The URL of a database on the server that a URL names. The database that the URL itself may name is not touched.
fn with_database(server: &str, database: &str) -> String {
    let (address, options) =
        server.split_once('?').map_or((server, String::new()), |(address, options)| (address, format!("?{options}")));
    let (scheme, rest) = address.split_once("://").unwrap_or_else(|| panic!("{SERVER} is not a URL"));
    let host = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{host}/{database}{options}")
}

fn temporary_folder(parent: &Path) -> TempDir {
    tempfile::Builder::new().prefix("livechatlog-").tempdir_in(parent).expect("a temporary folder can be made")
}

#[cfg(test)]
mod tests {
    use super::*;

    mod each_test_has_a_database_of_its_own {
        use super::*;

        fn assert_apart(one: &TestDatabase, other: &TestDatabase) {
            assert_ne!(one.url(), other.url());
            assert_ne!(one.folder(), other.folder());
            assert!(one.url().starts_with(&format!("{}:", one.kind())));
        }

        #[test]
        fn sqlite() {
            assert_apart(&TestDatabase::sqlite(), &TestDatabase::sqlite());
        }

        #[tokio::test]
        async fn mysql() {
            let Some(one) = TestDatabase::mysql("each_test_has_a_database_of_its_own").await else { return };
            assert_apart(&one, &TestDatabase::mysql("a second one").await.unwrap());
        }
    }

    #[tokio::test]
    async fn dropped_database_is_gone() {
        let Some(database) = TestDatabase::mysql("dropped_database_is_gone").await else { return };
        let url = database.url().to_owned();
        let mut connection = MySqlConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("CREATE TABLE t (id BIGINT)").execute(&mut connection).await.unwrap();
        drop(database);
        assert!(MySqlConnection::connect(&url).await.is_err());
    }

    #[test]
    fn dropped_sqlite_leaves_no_folder() {
        let database = TestDatabase::sqlite();
        let folder = database.folder().to_owned();
        assert!(folder.is_dir());
        drop(database);
        assert!(!folder.exists());
    }

    #[test]
    fn database_of_the_servers_url_is_exchanged() {
        for server in ["mysql://a:b@h:1", "mysql://a:b@h:1/", "mysql://a:b@h:1/mine"] {
            assert_eq!(with_database(server, "x"), "mysql://a:b@h:1/x");
        }
        assert_eq!(with_database("mysql://h/mine?ssl-mode=DISABLED", ""), "mysql://h/?ssl-mode=DISABLED");
    }
}
