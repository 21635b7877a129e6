//! Databases of a test's own.

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::sync::Once;

use application::ports::Ids as _;
use infrastructure::system::RandomIds;
use reqwest::Url;
use sqlx::{Connection as _, MySqlConnection};
use tempfile::TempDir;

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

/// An empty database that nobody else uses; it goes away when this is dropped.
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
    /// When there can be no temporary folder.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::sqlite_in(&std::env::temp_dir())
    }

    /// A file in a new folder inside this one.
    ///
    /// # Panics
    /// When there can be no such folder.
    #[must_use]
    pub fn sqlite_in(parent: &Path) -> Self {
        let folder = temporary_folder(parent);
        let url = format!("sqlite:{}", folder.path().join("livechatlog.db").display());
        Self { kind: DatabaseKind::Sqlite, url, folder, server: None }
    }

    /// A database on the server that `TEST_MYSQL_URL` names. Without one it says that the test is left out.
    ///
    /// # Panics
    /// When the server that is named does not work.
    pub async fn mysql(test: &str) -> Option<Self> {
        let Some(address) = server_url() else {
            left_out(test, SERVER);
            return None;
        };
        Some(Self::on_server(address).await)
    }

    /// A database on this server. It has to go away before the server does.
    ///
    /// # Panics
    /// When the server does not work.
    pub async fn on_server(address: Url) -> Self {
        let server = Server { address, database: format!("lcl_test_{}", RandomIds.new_uuid().simple()) };
        server.create().await;
        let folder = temporary_folder(&std::env::temp_dir());
        Self { kind: DatabaseKind::MySql, url: server.url_of_database(), folder, server: Some(server) }
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

/// One fresh database of each kind that this machine has: always SQLite; MySQL when there is a server.
pub async fn databases() -> Vec<TestDatabase> {
    let mut all = vec![TestDatabase::sqlite()];
    all.extend(TestDatabase::mysql("what needs MySQL").await);
    all
}

/// Says that a test was left out because a setting is missing. The first of each process is written past the
/// capturing of output, so that a run in which everything passes tells it too.
pub fn left_out(test: &str, setting: &str) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let program = std::env::args().next().unwrap_or_default();
        let name = Path::new(&program).file_name().unwrap_or_default().display().to_string();
        let _ = writeln!(std::io::stderr(), "left out in {name}: all that needs {setting}, which is not set");
    });
    println!("left out: {test}: {setting} is not set");
}

/// Says that a test was left out because the machine cannot do what it needs; past the capturing of output.
pub fn left_out_without(test: &str, what: &str) {
    let _ = writeln!(std::io::stderr(), "left out: {test}: it needs {what}");
}

#[derive(Debug)]
struct Server {
    address: Url,
    database: String,
}

impl Server {
    fn url_of_database(&self) -> String {
        let mut url = self.address.clone();
        url.set_path(&self.database);
        url.into()
    }

    async fn create(&self) {
        // No character set: whatever the server's default is must do.
        if let Err(error) = self.run(&format!("CREATE DATABASE {}", self.database)).await {
            panic!("no database can be created on the server ({SERVER}, or one of the test's own): {error}");
        }
    }

    async fn run(&self, sql: &str) -> Result<(), sqlx::Error> {
        let mut connection = MySqlConnection::connect(self.address.as_str()).await?;
        // Somebody may still have the database open, and a transaction with it.
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

fn server_url() -> Option<Url> {
    let text = std::env::var(SERVER).ok().filter(|text| !text.is_empty())?;
    match Url::parse(&text) {
        Ok(mut url) => {
            // Whatever database it names is not ours to work in.
            url.set_path("");
            Some(url)
        }
        Err(error) => panic!("{SERVER} is no URL: {error}"),
    }
}

fn temporary_folder(parent: &Path) -> TempDir {
    tempfile::Builder::new().prefix("livechatlog-").tempdir_in(parent).expect("a temporary folder can be made")
}

/// Makes one test of a body for each kind of database: `name::sqlite` and `name::mysql`.
///
/// ```ignore
/// on_each_database! {
///     /// What the test shows.
///     async fn sent_message_is_read_back(database: TestDatabase) {
///         assert!(!database.url().is_empty());
///     }
/// }
/// ```
#[macro_export]
macro_rules! on_each_database {
    ($($(#[$meta:meta])* async fn $name:ident($database:ident: TestDatabase) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            use $crate::tokio;

            async fn body($database: $crate::TestDatabase) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body($crate::TestDatabase::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mysql() {
                if let Some(database) = $crate::TestDatabase::mysql(module_path!()).await {
                    body(database).await;
                }
            }
        }
    )+};
}

#[cfg(test)]
mod tests {
    use super::*;

    on_each_database! {
        async fn each_test_has_a_database_of_its_own(database: TestDatabase) {
            let other = match database.kind() {
                DatabaseKind::Sqlite => TestDatabase::sqlite(),
                DatabaseKind::MySql => TestDatabase::mysql("a second one").await.unwrap(),
            };
            assert_ne!(database.url(), other.url());
            assert_ne!(database.folder(), other.folder());
            assert!(database.url().starts_with(&format!("{}:", database.kind())));
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
}
