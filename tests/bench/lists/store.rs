//! Stores full of conversations, as the server would have them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use application::command_bus::CommandBus;
use application::ports::{Clock as _, EventLog, Position};
use harness::{ADMIN_EMAIL, DatabaseKind, PASSWORD, Process, ProcessBuilder};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::event_log::{LogPorts, SqlEventLog};
use infrastructure::system::{RandomIds, SystemClock};
use projections::rebuild::Replay;
use sqlx::{Connection as _, MySqlConnection};

use super::chats::Year;
use super::company::Company;
use super::pipeline::{Calendar, Pipeline};
use crate::program;

/// How long before now the log begins.
const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// A filled database. It is kept for the next run.
pub struct Store {
    pub conversations: usize,
    pub kind: DatabaseKind,
    url: String,
    folder: PathBuf,
}

impl Store {
    /// In SQLite, or on the MySQL server at this address; filled, if it was not before.
    pub async fn open(mysql: Option<&str>, conversations: usize) -> Self {
        let store = Self::at(mysql, conversations);
        if !store.is_filled().await {
            store.fill(mysql).await;
        }
        store
    }

    /// The same, filled just now, so that nothing has been added since.
    pub async fn fresh(mysql: Option<&str>, conversations: usize) -> Self {
        let store = Self::at(mysql, conversations);
        store.fill(mysql).await;
        store
    }

    /// The same, if it has been filled before.
    pub async fn find(mysql: Option<&str>, conversations: usize) -> Option<Self> {
        let store = Self::at(mysql, conversations);
        store.is_filled().await.then_some(store)
    }

    fn at(mysql: Option<&str>, conversations: usize) -> Self {
        let kind = if mysql.is_some() { DatabaseKind::MySql } else { DatabaseKind::Sqlite };
        let folder = program::folder().join(format!("{kind}-{conversations}"));
        let url = match mysql {
            None => format!("sqlite:{}", folder.join("livechatlog.db").display()),
            Some(address) => format!("{}/lists_{conversations}", address.trim_end_matches('/')),
        };
        Self { conversations, kind, url, folder }
    }

    /// Where the database is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The program on it.
    pub fn program(&self) -> ProcessBuilder {
        Process::builder()
            .setting("DATABASE_URL", &self.url)
            .setting("DATA_DIR", self.folder.display().to_string())
            .setting("ADMIN_EMAIL", ADMIN_EMAIL)
            .setting("ADMIN_PASSWORD", PASSWORD)
            .setting("RUST_LOG", "warn")
    }

    /// The file that says how far the log of the filled store goes.
    fn mark(&self) -> PathBuf {
        self.folder.join("filled")
    }

    async fn is_filled(&self) -> bool {
        let Ok(mark) = fs::read_to_string(self.mark()) else { return false };
        let position = self.position().await;
        position.is_some_and(|position| mark.parse::<Position>().is_ok_and(|mark| position >= mark))
    }

    /// How far its log goes; nothing when there is none.
    pub async fn position(&self) -> Option<Position> {
        let database = Database::connect(&self.url, DatabaseOptions::default()).await.ok()?;
        let head = database.fetch_all("SELECT position FROM log_head", vec![]).await.unwrap_or_default();
        let position = head.first().and_then(|row| row.int("position").ok());
        database.close().await;
        position
    }

    async fn empty(&self, mysql: Option<&str>) -> Database {
        // What was begun and not finished goes away.
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir_all(&self.folder).expect("a folder for the store");
        if let Some(address) = mysql {
            let name = format!("lists_{}", self.conversations);
            let mut server = MySqlConnection::connect(address).await.expect("the server answers");
            let sql = format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}");
            sqlx::raw_sql(&sql).execute(&mut server).await.expect("a database can be created");
        }
        let database = Database::connect(&self.url, DatabaseOptions::default()).await.expect("the database opens");
        database.migrate().await.expect("the schema can be made");
        database
    }

    async fn fill(&self, mysql: Option<&str>) {
        let begun = Instant::now();
        eprintln!("filling {} with {} conversations", self.url.split(':').next().unwrap_or(""), self.conversations);
        let database = self.empty(mysql).await;
        let calendar = Calendar::default();
        calendar.set(SystemClock.now().minus(YEAR));
        let ports = LogPorts::alone(Arc::new(calendar.clone()), Arc::new(RandomIds));
        let log: Arc<dyn EventLog> =
            Arc::new(SqlEventLog::start(database.clone(), ports).await.expect("the log opens"));
        let (pipeline, passing) = Pipeline::open(Arc::clone(&log));
        let bus = CommandBus::new(pipeline, Arc::new(calendar.clone()), Arc::new(RandomIds));
        let company = Company::found(&bus, &database, self.conversations).await;
        let messages = Year::new(&bus, &calendar, company, self.conversations).pass().await;
        drop(bus);
        let position = passing.await.expect("everything is appended");
        let replay = Replay::new(database.clone(), log, Arc::new(SystemClock), Arc::new(RandomIds));
        replay.fill_first(&()).await.expect("the views can be filled");
        database.close().await;
        fs::write(self.mark(), position.to_string()).expect("the mark can be written");
        eprintln!(
            "filled with {} conversations, {messages} messages, {position} events in {:.0} s",
            self.conversations,
            begun.elapsed().as_secs_f64()
        );
    }
}
