//! Reading what a program has written, while it runs.

use std::sync::Arc;

use application::ports::{EventLog, LogEvent};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::event_log::{LogPorts, SqlEventLog};
use infrastructure::system::{RandomIds, SystemClock};

use crate::TestDatabase;

const PAGE: usize = 1_000;

/// The database of a program that may be running, for reading.
#[derive(Clone)]
pub struct History {
    /// The database.
    pub database: Database,
    /// Its log.
    pub log: Arc<dyn EventLog>,
}

impl History {
    /// Opens a database that the program has migrated.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn open(database: &TestDatabase) -> Self {
        let database = Database::connect(database.url(), DatabaseOptions::default()).await;
        let database = database.unwrap_or_else(|error| panic!("the database cannot be opened: {error:?}"));
        let ports = LogPorts::alone(Arc::new(SystemClock), Arc::new(RandomIds));
        let log = SqlEventLog::start(database.clone(), ports).await;
        let log = Arc::new(log.unwrap_or_else(|error| panic!("the log cannot be read: {error:?}")));
        Self { database, log }
    }

    /// Every event that is committed now.
    pub async fn events(&self) -> Vec<Arc<LogEvent>> {
        self.events_after(0).await
    }

    /// Every event after a position that is committed now.
    ///
    /// # Panics
    /// When the log cannot be read.
    pub async fn events_after(&self, position: i64) -> Vec<Arc<LogEvent>> {
        let mut events: Vec<Arc<LogEvent>> = vec![];
        loop {
            let after = events.last().map_or(position, |event| event.header.position);
            let page = self.log.read_after(after, PAGE).await;
            let page = page.unwrap_or_else(|error| panic!("the log cannot be read after {after}: {error:?}"));
            if page.is_empty() {
                return events;
            }
            events.extend(page);
        }
    }
}
